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

{{- /* Fails itself, where two forms of one key say different things. */}}
{{- $_ := include "registry-credential-helper.configurationData" . }}

{{- with .Values.config.existingConfigMap }}
{{- $idle := list }}
{{- /* What the chart itself gives is nobody's wish. */}}
{{- $shipped := ($.Files.Get "files/missing-values.yaml" | fromYaml).config.members }}
{{- range $key, $value := omit $.Values.config "existingConfigMap" "namespace" }}
{{- $text := include "registry-credential-helper.keyText" $value }}
{{- if and $text (ne $text (include "registry-credential-helper.keyText" (index $shipped $key).default)) }}
{{- $idle = append $idle (printf "config.%s" $key) }}
{{- end }}
{{- end }}
{{- range $key := include "registry-credential-helper.managedData" $ | fromYaml | keys }}
{{- $idle = append $idle (get (include "registry-credential-helper.managedNames" $ | fromYaml) $key) }}
{{- end }}
{{- if $idle }}
{{- fail (printf "The value config.existingConfigMap names a ConfigMap that is only read, so that these values would do nothing: %s. Write what they say into that ConfigMap, or leave existingConfigMap out." (sortAlpha $idle | join ", ")) }}
{{- end }}
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

{{- range $value, $text := dict "image.registry" .Values.image.registry "image.repository" .Values.image.repository "global.imageRegistry" .Values.global.imageRegistry }}
{{- if contains "://" $text }}
{{- fail (printf "The value %s is %s: leave %s:// out, names of images have none." $value $text (splitList "://" $text | first)) }}
{{- end }}
{{- end }}

{{- $rolling := .Values.strategy.rollingUpdate }}
{{- if and (eq (.Values.strategy.type | default "") "Recreate") $rolling (ne (toJson $rolling) (toJson (include "registry-credential-helper.shippedStrategy" . | fromYaml).rollingUpdate)) }}
{{- fail "The values strategy.type: Recreate and strategy.rollingUpdate exclude each other: leave one of them out." }}
{{- end }}
{{- with $rolling }}
{{- if and (has (toString .maxSurge) (list "0" "0%")) (has (toString .maxUnavailable) (list "0" "0%")) }}
{{- fail "The values strategy.rollingUpdate.maxSurge and maxUnavailable are both 0, so that no Pod could be replaced: raise one of them." }}
{{- end }}
{{- end }}

{{- if and .Values.webhook.enabled (eq (int .Values.metrics.port) (int .Values.webhook.port)) }}
{{- fail (printf "The values metrics.port and webhook.port are both %d, and in one Pod: change one of them." (int .Values.webhook.port)) }}
{{- end }}

{{- $named := index .Values.config "rrsa-service-account" }}
{{- if and $named .Values.rrsa.tokenServiceAccount (ne $named .Values.rrsa.tokenServiceAccount) }}
{{- fail (printf "The values rrsa.tokenServiceAccount (%s) and config.rrsa-service-account (%s) differ: give one of them, or both alike." .Values.rrsa.tokenServiceAccount $named) }}
{{- end }}

{{- if and .Values.webhook.hostNetwork (eq (int .Values.webhook.port) 10250) }}
{{- fail "With webhook.hostNetwork: true the port 10250 is the kubelet's: set webhook.port to one that is free on every node." }}
{{- end }}
{{- end }}

{{/* Port of a URL. */}}
{{- define "registry-credential-helper.urlPort" -}}
{{- $url := urlParse . }}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (eq $url.scheme "https" | ternary "443" "80") }}
{{- end }}

{{/* Empty = no rule of the chart or of the values lets a TCP port out: policy, port. A port by name may be any. */}}
{{- define "registry-credential-helper.isPortOpen" -}}
{{- $port := .port }}
{{- range .policy.egressPorts }}
{{- if eq (int .) $port }}true{{ end }}
{{- end }}
{{- range .policy.extraEgress }}
{{- if not .ports }}true{{ end }}
{{- range .ports }}
{{- if eq (.protocol | default "TCP") "TCP" }}
{{- if or (not .port) (kindIs "string" .port) (and (le (int .port) $port) (ge (int (.endPort | default .port)) $port)) }}true{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
