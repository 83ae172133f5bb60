{{/* Name of every object: the release's, with the chart's unless it is in there. */}}
{{- define "registry-credential-helper.fullname" -}}
{{- $name := .Release.Name }}
{{- if not (contains .Chart.Name $name) }}
{{- $name = printf "%s-%s" $name .Chart.Name }}
{{- end }}
{{- $name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the Service: the same, as far as a Service may have it, with no dot and no digit at its beginning. */}}
{{- define "registry-credential-helper.serviceName" -}}
{{- $name := include "registry-credential-helper.fullname" . | replace "." "-" }}
{{- regexReplaceAll "^([0-9])" $name "s${1}" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What the Deployment knows its Pods by. Never to be changed: a selector is immutable. */}}
{{- define "registry-credential-helper.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "registry-credential-helper.labels" -}}
{{ include "registry-credential-helper.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- end }}

{{- define "registry-credential-helper.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Environment of the container, as a list. */}}
{{- define "registry-credential-helper.env" -}}
# Where the Lease, the master copy and Secret references are.
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- if .Values.rrsa.enabled }}
- name: ALIBABA_CLOUD_OIDC_TOKEN_FILE
  value: {{ include "registry-credential-helper.rrsaFolder" . }}/token
{{- with .Values.rrsa.roleArn }}
- name: ALIBABA_CLOUD_ROLE_ARN
  value: {{ . | quote }}
{{- end }}
{{- with .Values.rrsa.oidcProviderArn }}
- name: ALIBABA_CLOUD_OIDC_PROVIDER_ARN
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Where Alibaba's own tools look for the token of RRSA. */}}
{{- define "registry-credential-helper.rrsaFolder" -}}
/var/run/secrets/ack.alibabacloud.com/rrsa-tokens
{{- end }}

{{- define "registry-credential-helper.configMapNamespace" -}}
{{- .Values.configMap.namespace | default .Release.Namespace }}
{{- end }}

{{/* The right to read the configuration; in the release's namespace it joins the other rights there. */}}
{{- define "registry-credential-helper.configurationRule" -}}
# The configuration: only the one ConfigMap is listed and watched, by its name.
- apiGroups: ['']
  resources: [configmaps]
  verbs: [list, watch]
# It is made from the values where there is none, and keys that nobody edited by hand follow them.
- apiGroups: ['']
  resources: [configmaps]
  verbs: [create]
- apiGroups: ['']
  resources: [configmaps]
  resourceNames: [{{ .Values.configMap.name }}]
  verbs: [patch, delete]
{{- end }}

{{/* The subject of every binding. */}}
{{- define "registry-credential-helper.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "registry-credential-helper.fullname" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
