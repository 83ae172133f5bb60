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

{{/* To ask for tokens of a ServiceAccount: its name. */}}
{{- define "registry-credential-helper.rules.tokens" -}}
- apiGroups: ['']
  resources: [serviceaccounts/token]
  resourceNames: [{{ . | quote }}]
  verbs: [create]
{{- end }}
