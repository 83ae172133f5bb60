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
template`, and what GitOps tools make of it) nobody knows of it. At an installation there is none: whoever installs need not be allowed to look.
*/}}
{{- define "registry-credential-helper.hostsEnding" -}}
{{- if and .Release.IsUpgrade (not (include "registry-credential-helper.hostsWanted" .)) }}
{{- $found := include "registry-credential-helper.hostsFound" . | fromJson }}
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

{{/* The DaemonSet as the cluster has it, in JSON; an empty map = there is none. */}}
{{- define "registry-credential-helper.hostsFound" -}}
{{- lookup "apps/v1" "DaemonSet" (include "registry-credential-helper.hostsNamespace" .) (printf "%s-hosts" (include "registry-credential-helper.fullname" .)) | toJson }}
{{- end }}

{{/*
The `spec` of a DaemonSet that is to take the block from nodes. It is the one that the cluster has: the values that it was made from (folder,
file, which nodes, Secrets for its image) may be gone with the names, and another file on other nodes has no block.
*/}}
{{- define "registry-credential-helper.hostsEndingSpec" -}}
{{- $spec := (include "registry-credential-helper.hostsFound" . | fromJson).spec }}
{{- range $spec.template.spec.containers }}
{{- $args := .args | default list }}
{{- if and (has "hosts" $args) (not (has "--cleanup-and-stay" $args)) }}
{{- $_ := set . "args" (append $args "--cleanup-and-stay") }}
{{- end }}
{{- end }}
{{- $_ := set $spec "updateStrategy" (dict "type" "RollingUpdate" "rollingUpdate" (dict "maxUnavailable" "100%" "maxSurge" 0)) }}
{{- toYaml $spec }}
{{- end }}

{{/* Empty = no DaemonSet. */}}
{{- define "registry-credential-helper.hostsEnabled" -}}
{{- include "registry-credential-helper.hostsWanted" . | default (include "registry-credential-helper.hostsEnding" .) }}
{{- end }}

{{- define "registry-credential-helper.hostsNamespace" -}}
{{- .Values.hosts.namespace | default .Release.Namespace }}
{{- end }}
