{{/*
Metadata of an object for monitoring. `root`: the whole; `name`; `values`: its own `labels`, `annotations` and `namespace`, of which the
first two win over those of every object.
*/}}
{{- define "registry-credential-helper.monitoringMetadata" -}}
{{- $values := .values }}
name: {{ .name }}
namespace: {{ $values.namespace | default .root.Release.Namespace }}
labels:
  {{- merge (dict) ($values.labels | default dict) (include "registry-credential-helper.labels" .root | fromYaml) | toYaml | nindent 2 }}
{{- with merge (dict) ($values.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* One endpoint of a monitor: `values` of the monitor, `relabelings` that it always has. */}}
{{- define "registry-credential-helper.endpoint" -}}
port: http
path: /metrics
{{- with .values.interval }}
interval: {{ . }}
{{- end }}
{{- with .values.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with concat (.relabelings | default list) (.values.relabelings | default list) }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Name of the Service for metrics. */}}
{{- define "registry-credential-helper.metricsServiceName" -}}
{{- printf "%s-metrics" (include "registry-credential-helper.serviceName" . | trunc 55 | trimSuffix "-") }}
{{- end }}
