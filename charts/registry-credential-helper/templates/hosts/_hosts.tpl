{{/* Whether there are names to keep in hosts files. Empty = no. */}}
{{- define "registry-credential-helper.hostsWanted" -}}
{{- if kindIs "bool" .Values.hosts.enabled }}
{{- ternary "true" "" .Values.hosts.enabled }}
{{- else if or .Values.hosts.items .Values.global.hosts }}
{{- "true" }}
{{- end }}
{{- end }}

{{/*
Whether a DaemonSet that is not wanted any more still has to take the block from nodes. Empty = no. Helm would delete it at once, and the block
would stay on every node for good; so it stays, until its Pods say on every node that the block is gone. Where Helm asks no cluster (`helm
template`, and what GitOps tools make of it) nobody knows of it.
*/}}
{{- define "registry-credential-helper.hostsEnding" -}}
{{- if not (include "registry-credential-helper.hostsWanted" .) }}
{{- $name := printf "%s-hosts" (include "registry-credential-helper.fullname" .) }}
{{- $found := lookup "apps/v1" "DaemonSet" (include "registry-credential-helper.hostsNamespace" .) $name }}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" $found }}
{{- if eq $owner .Release.Name }}
{{- $told := false }}
{{- range dig "spec" "template" "spec" "containers" list $found }}
{{- $told = or $told (has "--cleanup-and-stay" (.args | default list)) }}
{{- end }}
{{- $status := $found.status | default dict }}
{{- $wanted := int ($status.desiredNumberScheduled | default 0) }}
{{- $seen := ge (int64 ($status.observedGeneration | default 0)) (int64 ($found.metadata.generation | default 1)) }}
{{- $all := and (eq (int ($status.updatedNumberScheduled | default 0)) $wanted) (eq (int ($status.numberReady | default 0)) $wanted) }}
{{- if not (and $told $seen $all) }}
{{- "true" }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Empty = no DaemonSet. */}}
{{- define "registry-credential-helper.hostsEnabled" -}}
{{- include "registry-credential-helper.hostsWanted" . | default (include "registry-credential-helper.hostsEnding" .) }}
{{- end }}

{{- define "registry-credential-helper.hostsNamespace" -}}
{{- .Values.hosts.namespace | default .Release.Namespace }}
{{- end }}
