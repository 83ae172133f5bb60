{{/* Name of the chart in labels. */}}
{{- define "registry-credential-helper.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of every object: the release's, with the chart's unless it is in there. */}}
{{- define "registry-credential-helper.fullname" -}}
{{- $chart := include "registry-credential-helper.name" . }}
{{- $name := .Release.Name }}
{{- if not (contains $chart $name) }}
{{- $name = printf "%s-%s" $name $chart }}
{{- end }}
{{- .Values.fullnameOverride | default $name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the Service: the same, as far as a Service may have it, with no dot and no digit at its beginning. */}}
{{- define "registry-credential-helper.serviceName" -}}
{{- $name := include "registry-credential-helper.fullname" . | replace "." "-" }}
{{- regexReplaceAll "^([0-9])" $name "s${1}" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the controller's ServiceAccount. */}}
{{- define "registry-credential-helper.podServiceAccountName" -}}
{{- .Values.podServiceAccount.name | default (include "registry-credential-helper.fullname" .) }}
{{- end }}

{{/* What Pods are known by, together with `app.kubernetes.io/component`. Never to be changed: a selector is immutable. */}}
{{- define "registry-credential-helper.selectorLabels" -}}
app.kubernetes.io/name: {{ include "registry-credential-helper.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* The same with the component that is given: root, component. */}}
{{- define "registry-credential-helper.componentSelector" -}}
{{ include "registry-credential-helper.selectorLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "registry-credential-helper.labels" -}}
{{ include "registry-credential-helper.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Metadata of an object: root, name, and where they apply namespace, component, labels, annotations. */}}
{{- define "registry-credential-helper.metadata" -}}
name: {{ .name | quote }}
{{- with .namespace }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- if .labels }}
  {{- merge (dict) .labels (include "registry-credential-helper.labels" .root | fromYaml) | toYaml | nindent 2 }}
  {{- else }}
  {{- include "registry-credential-helper.labels" .root | nindent 2 }}
  {{- end }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Metadata of a Pod: root, component, labels, annotations. */}}
{{- define "registry-credential-helper.podMetadata" -}}
labels:
  {{- include "registry-credential-helper.componentSelector" . | nindent 2 }}
  {{- with merge (dict) .labels .root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The one image. */}}
{{- define "registry-credential-helper.image" -}}
{{- $registry := .Values.global.imageRegistry | default .Values.image.registry | trimSuffix "/" }}
{{- $place := .Values.image.repository }}
{{- if $registry }}
{{- $place = printf "%s/%s" $registry $place }}
{{- end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $place .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $place (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* Priority class of Pods: given, namespace, and the class that only kube-system is sure to be allowed. */}}
{{- define "registry-credential-helper.priorityClass" -}}
{{- .given | default (eq .namespace "kube-system" | ternary .system "") }}
{{- end }}
