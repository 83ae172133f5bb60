{{/* What NOTES.txt warns of: a line each. */}}
{{- define "registry-credential-helper.warnings" -}}
{{- $data := include "registry-credential-helper.configurationData" . | fromYaml }}
{{- $items := include "registry-credential-helper.declaredItems" . }}
{{- $texts := $data | toJson }}
{{- if regexMatch `(?i)custom[-_]?access[-_]?key` $texts }}
- An AccessKey stands in clear text in the values, in the record of the release and in the ConfigMap: everybody who may read one of them
  has it. Put it into a Secret, and name that in accessKeySecretRef.
{{- end }}
{{- if or (contains `"dockerPassword":` $items) (contains `"password":` $items) }}
- A password of an ImagePullSecret stands in clear text in the values, and in the record of the release. Put it into a Secret, and name that
  in spec.docker.passwordSecretRef, or let it be minted with spec.tcr.
{{- end }}
{{- if and (regexMatch `(?i)(^|[\s,'"])(all|\*)($|[\s,'"])` (get $data "watch-namespace")) (not (get $data "exclude-namespace")) }}
- All namespaces are in scope, and none is excluded: those of the system get the Secret, too. See config.exclude-namespace.
{{- end }}
{{- if regexMatch `(?i)failure-?_?policy["']?\s*:\s*["']?fail` (get $data "webhook-configuration") }}
- The webhook has the failure policy Fail: while no Pod of the controller answers, nobody can create or change a ServiceAccount.
{{- end }}
{{- if and .Values.commonLabels .Values.config.existingConfigMap }}
- The commonLabels do not reach the Secrets in namespaces: the ConfigMap is yours. Write them into its key managed-secret-labels.
{{- end }}
{{- if and .Values.global.cluster.longregion .Values.config.existingConfigMap (not (and .Values.tke.enabled (not .Values.tke.region))) }}
- The value global.cluster.longregion does nothing: the ConfigMap is yours. Write its key region, if it is not there.
{{- end }}
{{- with include "registry-credential-helper.idleValues" . }}
- These values do nothing, as what they are about is off: {{ . }}.
{{- end }}
{{- if and .Values.image.tag .Values.image.digest }}
- The digest of image.digest is what runs, and the tag {{ .Values.image.tag }} does not count: for another version change both, or empty the digest.
{{- end }}
{{- if .Values.networkPolicy.enabled }}
{{- range $value, $url := pick .Values.proxy "http" "https" }}
{{- $port := include "registry-credential-helper.urlPort" $url }}
{{- if and $url (not (include "registry-credential-helper.isPortOpen" (dict "policy" $.Values.networkPolicy "port" (int $port)))) }}
- The proxy of proxy.{{ $value }} has the port {{ $port }}, which the NetworkPolicy of this release does not let out: unless another one does, add it to
  networkPolicy.egressPorts, or a rule for the proxy to networkPolicy.extraEgress.
{{- end }}
{{- end }}
{{- end }}
{{- if lt (int .Values.replicas) 2 }}
- With {{ .Values.replicas }} replica{{ if ne (int .Values.replicas) 1 }}s{{ end }} nothing is renewed{{ if .Values.replicas }} while the Pod is replaced{{ end }}, and the webhook does not answer.
{{- end }}
{{- if and .Values.webhook.hostNetwork .Values.webhook.enabled }}
- The Pods are in the network of their nodes: a namespace of the Pod Security level restricted refuses them.
{{- end }}
{{- if include "registry-credential-helper.hostsEnabled" . }}
- The hosts DaemonSet mounts a folder of the nodes and runs as root: the namespace {{ include "registry-credential-helper.hostsNamespace" . }} must allow the Pod Security level
  privileged. Whoever may edit its ConfigMap says where nodes find any name.
{{- end }}
{{- if and (include "registry-credential-helper.hostsEnabled" .) .Values.image.pullSecrets (ne (include "registry-credential-helper.hostsNamespace" .) .Release.Namespace) }}
- The hosts DaemonSet is in the namespace {{ include "registry-credential-helper.hostsNamespace" . }}: the Secrets of image.pullSecrets must be there, too, or its image is not pulled.
{{- end }}
{{- if and (eq .Values.onUninstall "cleanup") (not .Values.rbac.create) }}
- The clean-up before `helm uninstall` has no rights but those that you give to the ServiceAccount {{ include "registry-credential-helper.podServiceAccountName" . }}
  (rbac.create is false): without those of docs/rbac.md, "While the installation ends", it fails, and the release stays.
{{- end }}
{{- if not .Values.image.digest }}
- The image is named by a tag, which can be moved: name a digest in image.digest.
{{- end }}
{{- end }}

{{/* Values that somebody gave beside a switch that is off. */}}
{{- define "registry-credential-helper.idleValues" -}}
{{- $idle := list }}
{{- if not .Values.rrsa.enabled }}
{{- range $name, $value := pick .Values.rrsa "roleArn" "oidcProviderArn" }}
{{- if $value }}{{ $idle = append $idle (printf "rrsa.%s" $name) }}{{ end }}
{{- end }}
{{- end }}
{{- if not .Values.tke.enabled }}
{{- range $name, $value := pick .Values.tke "providerId" "roleArn" "region" }}
{{- if $value }}{{ $idle = append $idle (printf "tke.%s" $name) }}{{ end }}
{{- end }}
{{- end }}
{{- if not .Values.webhook.enabled }}
{{- with .Values.webhook.url }}{{ $idle = append $idle "webhook.url" }}{{ end }}
{{- end }}
{{- if not .Values.networkPolicy.enabled }}
{{- range $name, $value := pick .Values.networkPolicy "metricsFrom" "extraEgress" }}
{{- if $value }}{{ $idle = append $idle (printf "networkPolicy.%s" $name) }}{{ end }}
{{- end }}
{{- end }}
{{- if and (not (or .Values.proxy.http .Values.proxy.https)) .Values.proxy.noProxy }}
{{- $idle = append $idle "proxy.noProxy" }}
{{- end }}
{{- if not (include "registry-credential-helper.hostsEnabled" .) }}
{{- range $name, $items := dict "hosts.items" .Values.hosts.items "hosts.existingConfigMap" .Values.hosts.existingConfigMap "global.hosts" .Values.global.hosts }}
{{- if $items }}{{ $idle = append $idle $name }}{{ end }}
{{- end }}
{{- end }}
{{- join ", " $idle }}
{{- end }}
