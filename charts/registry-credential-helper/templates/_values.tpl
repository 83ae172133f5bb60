{{/*
Puts something into the place of each value that is not there: one that somebody gave as null, which Helm takes out, and one that the values
of an older release do not have, with `--reuse-values`. The first line of every template, so that no other line need ask.
*/}}
{{- define "registry-credential-helper.values" -}}
{{- /* A parent chart has the same map: it is not ours to change. */}}
{{- if kindIs "map" .Values.global }}
{{- $_ := set .Values "global" (deepCopy .Values.global) }}
{{- end }}
{{- include "registry-credential-helper.fillMembers" (dict "values" .Values "members" (.Files.Get "files/missing-values.yaml" | fromYaml) "isNew" false) }}
{{- end }}

{{/* values: a map; members: what may be missing in it; isNew: the map itself was missing. */}}
{{- define "registry-credential-helper.fillMembers" -}}
{{- $values := .values }}
{{- $isNew := .isNew }}
{{- range $name, $node := .members }}
{{- $isMissing := kindIs "invalid" (index $values $name) }}
{{- if hasKey $node "members" }}
{{- if $isMissing }}
{{- $_ := set $values $name dict }}
{{- end }}
{{- include "registry-credential-helper.fillMembers" (dict "values" (index $values $name) "members" $node.members "isNew" $isMissing) }}
{{- else if $isMissing }}
{{- $_ := set $values $name (index $node (and (not $isNew) (hasKey $node "missing") | ternary "missing" "default")) }}
{{- end }}
{{- end }}
{{- end }}
