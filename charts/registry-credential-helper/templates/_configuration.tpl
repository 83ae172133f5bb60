{{/* What the values say about registries, namespaces and ServiceAccounts, as keys of the ConfigMap. */}}

{{- define "registry-credential-helper.configMapNamespace" -}}
{{- .Values.config.namespace | default .Release.Namespace }}
{{- end }}

{{- define "registry-credential-helper.configMapName" -}}
{{- .Values.config.existingConfigMap | default .Values.config.name }}
{{- end }}

{{- define "registry-credential-helper.valuesConfigMapName" -}}
{{- include "registry-credential-helper.fullname" . }}-values
{{- end }}

{{/* Text of a key: of a text, of a map, of a list of names, of a list of items (`[]` is one). Empty = not given. */}}
{{- define "registry-credential-helper.keyText" -}}
{{- if kindIs "invalid" . }}
{{- else if kindIs "string" . }}
{{- trim . }}
{{- else if kindIs "map" . }}
{{- with . }}{{ toYaml . }}{{ end }}
{{- else if kindIs "string" (first .) }}
{{- join "," . }}
{{- else }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* The keys of the managed edition that are given, as those of the ConfigMap: a map. */}}
{{- define "registry-credential-helper.managedData" -}}
{{- $data := dict }}
{{- range $key, $name := include "registry-credential-helper.managedNames" . | fromYaml }}
{{- $value := index $.Values $name }}
{{- if kindIs "bool" $value }}
{{- $_ := set $data $key (printf "enable: %t" $value) }}
{{- else if $value }}
{{- $_ := set $data $key (include "registry-credential-helper.keyText" $value) }}
{{- end }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{- define "registry-credential-helper.managedNames" -}}
acr-registry-info: AcrInstanceInfo
rrsa: enableRRSA
expiring-threshold: expiringThreshold
service-account: serviceAccount
watch-namespace: watchNamespace
notify-email: notifyEmail
{{- end }}

{{/* Equal for two texts that say the same: key, text. */}}
{{- define "registry-credential-helper.keyMeaning" -}}
{{- if eq .key "acr-registry-info" }}
{{- fromYamlArray .text | toJson }}
{{- else if eq .key "rrsa" }}
{{- fromYaml .text | toJson }}
{{- else }}
{{- .text }}
{{- end }}
{{- end }}

{{/* The keys of the ConfigMap that are given, in either form: a map. Fails where the forms disagree, and names both. */}}
{{- define "registry-credential-helper.configurationData" -}}
{{- $data := dict }}
{{- range $key, $value := omit .Values.config "existingConfigMap" "name" "namespace" }}
{{- with include "registry-credential-helper.keyText" $value }}
{{- $_ := set $data $key . }}
{{- end }}
{{- end }}
{{- $names := include "registry-credential-helper.managedNames" . | fromYaml }}
{{- range $key, $text := include "registry-credential-helper.managedData" . | fromYaml }}
{{- $own := get $data $key }}
{{- $meaning := include "registry-credential-helper.keyMeaning" (dict "key" $key "text" $text) }}
{{- if and $own (ne $meaning (include "registry-credential-helper.keyMeaning" (dict "key" $key "text" $own))) }}
{{- fail (printf "The values config.%s and %s are two forms of one key and say different things: keep one of them." $key (get $names $key)) }}
{{- end }}
{{- $_ := set $data $key $text }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{/* Empty = no key of this configuration names registries. */}}
{{- define "registry-credential-helper.hasRegistries" -}}
{{- range list "registry-info" "acr-registry-info" "tcr-registry-info" "acr-registry" "acr-api-version" }}
{{- if hasKey $ . }}true{{ end }}
{{- end }}
{{- end }}

{{/* Labels of the Secrets that the controller writes: those of the configuration, in the form that they have, and commonLabels. */}}
{{- define "registry-credential-helper.secretLabels" -}}
{{- $given := index .Values.config "managed-secret-labels" | default "" }}
{{- if kindIs "map" $given }}
{{- with merge (dict) $given .Values.commonLabels }}{{ toYaml . }}{{ end }}
{{- else }}
{{- $lines := $given | trim | empty | ternary list (list (trim $given)) }}
{{- range $name, $value := .Values.commonLabels }}
{{- $lines = append $lines (printf "%s%s%s" $name (contains "=" $given | ternary "=" ": ") (contains "=" $given | ternary $value (quote $value))) }}
{{- end }}
{{- join "\n" $lines }}
{{- end }}
{{- end }}

{{/* The list of the resources that are declared. */}}
{{- define "registry-credential-helper.declaredItems" -}}
{{- concat .Values.imagePullSecrets .Values.global.imagePullSecretsCrs | default list | toJson }}
{{- end }}

{{/* The list of names in hosts files. */}}
{{- define "registry-credential-helper.hostsItems" -}}
{{- concat .Values.hosts.items .Values.global.hosts | default list | toYaml }}
{{- end }}
