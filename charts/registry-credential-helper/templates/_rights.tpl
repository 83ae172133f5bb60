{{/* A duty: a Role in `namespace`, or without one a ClusterRole, with `rules`, bound to the controller. root, name, rules. */}}
{{- define "registry-credential-helper.duty" -}}
{{- $kind := ternary "Role" "ClusterRole" (hasKey . "namespace") }}
{{- $metadata := include "registry-credential-helper.metadata" . }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- $metadata | nindent 2 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- $metadata | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name | quote }}
subjects:
  - kind: ServiceAccount
    name: {{ include "registry-credential-helper.podServiceAccountName" .root | quote }}
    namespace: {{ .root.Release.Namespace | quote }}
{{ end }}

{{/* Rules that are for the whole cluster, or for each namespace that is served. */}}
{{- define "registry-credential-helper.rules.references" -}}
# References: imagePullSecrets of ServiceAccounts. `get` names the other writer when one keeps removing ours.
- apiGroups: ['']
  resources: [serviceaccounts]
  verbs: [get, list, watch, patch]
{{- end }}

{{- define "registry-credential-helper.rules.secrets" -}}
# Our Secrets: listed and watched only by our labels; one is read by name when its name is taken, and its metadata when another
# writer keeps changing it.
- apiGroups: ['']
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}

{{- define "registry-credential-helper.rules.events" -}}
- apiGroups: ['']
  resources: [events]
  verbs: [create]
{{- end }}

{{/*
The ServiceAccount, namespace/name, whose tokens the controller may ask for; empty = of none. Where RRSA is on, or a ConfigMap that the chart
does not see may say so, and neither another one nor a mounted token is named, that of Alibaba's add-on.
*/}}
{{- define "registry-credential-helper.rrsaServiceAccount" -}}
{{- $rrsa := get (include "registry-credential-helper.configurationData" . | fromYaml) "rrsa" | default "" | fromYaml }}
{{- $mayBeSaid := and .Values.config.existingConfigMap .Values.rbac.takeOver }}
{{- $isOn := and (or (eq (toString (get $rrsa "enable")) "true") $mayBeSaid) (not .Values.rrsa.enabled) }}
{{- $vendor := ternary "kube-system/aliyun-acr-credential-helper" "" (not (not $isOn)) }}
{{- with .Values.rrsa.tokenServiceAccount | default (index .Values.config "rrsa-service-account") | default $vendor }}
{{- contains "/" . | ternary . (printf "%s/%s" $.Release.Namespace .) }}
{{- end }}
{{- end }}

{{/* To ask for tokens of a ServiceAccount: its name. */}}
{{- define "registry-credential-helper.rules.tokens" -}}
- apiGroups: ['']
  resources: [serviceaccounts/token]
  resourceNames: [{{ . | quote }}]
  verbs: [create]
{{- end }}
