{{/* What the schema cannot say: values that exclude each other. Each is refused with one sentence. */}}
{{- define "registry-credential-helper.checks" -}}
{{- $names := list }}
{{- range include "registry-credential-helper.env" . | fromYamlArray }}
{{- if has .name $names }}
{{- fail (printf "The value extraEnv sets %s, which is set already: keep one of them." .name) }}
{{- end }}
{{- $names = append $names .name }}
{{- end }}

{{- range $value, $labels := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "hosts.podLabels" .Values.hosts.podLabels }}
{{- range list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "app.kubernetes.io/component" "helm.sh/chart" }}
{{- if hasKey $labels . }}
{{- fail (printf "The value %s sets %s, which the chart sets itself: leave it out." $value .) }}
{{- end }}
{{- end }}
{{- end }}

{{- if and (not .Values.podServiceAccount.create) (not .Values.podServiceAccount.name) }}
{{- fail "With podServiceAccount.create: false the chart makes no ServiceAccount: name the one to use in podServiceAccount.name." }}
{{- end }}

{{- $keys := omit (include "registry-credential-helper.configurationData" . | fromYaml) "exclude-namespace" | keys | sortAlpha }}
{{- if and .Values.config.existingConfigMap $keys }}
{{- fail (printf "The value config.existingConfigMap names a ConfigMap that is only read, so that these values would do nothing: %s. Write them into that ConfigMap, or leave existingConfigMap out." (join ", " $keys)) }}
{{- end }}

{{- range $index, $item := .Values.imagePullSecrets }}
{{- if not (or $item.spec $item.dockerServer) }}
{{- fail (printf "The value imagePullSecrets[%d] has neither spec nor dockerServer: it describes an ImagePullSecret resource. Secrets with which the Pods of this chart are pulled belong into image.pullSecrets." $index) }}
{{- end }}
{{- end }}

{{- if and .Values.declaredResources.existingSecret (or .Values.imagePullSecrets .Values.global.imagePullSecretsCrs) }}
{{- fail "The value declaredResources.existingSecret takes the place of imagePullSecrets and global.imagePullSecretsCrs: write their items into that Secret, or leave existingSecret out." }}
{{- end }}

{{- if and .Values.hosts.existingConfigMap (or .Values.hosts.items .Values.global.hosts) }}
{{- fail "The value hosts.existingConfigMap takes the place of hosts.items and global.hosts: write their items into that ConfigMap, or leave existingConfigMap out." }}
{{- end }}

{{- if and .Values.extraCa.secretName .Values.extraCa.configMapName }}
{{- fail "The values extraCa.secretName and extraCa.configMapName exclude each other: keep one of them." }}
{{- end }}

{{- if and .Values.webhook.hostNetwork (eq (int .Values.webhook.port) 10250) }}
{{- fail "With webhook.hostNetwork: true the port 10250 is the kubelet's: set webhook.port to one that is free on every node." }}
{{- end }}
{{- end }}
