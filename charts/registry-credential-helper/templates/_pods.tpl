{{/* What Pods of the controller's ServiceAccount have in common. */}}

{{/*
Labels and annotations of such a Pod, also of those that Helm runs as hooks: what is said to a service mesh, or to who bills Pods, is said of
all of them. root, component.
*/}}
{{- define "registry-credential-helper.controllerPodMetadata" -}}
{{- include "registry-credential-helper.podMetadata" (dict "root" .root "component" .component "labels" .root.Values.podLabels "annotations" .root.Values.podAnnotations) }}
{{- end }}

{{/* How the Deployment replaces its Pods; empty = as Kubernetes does. */}}
{{- define "registry-credential-helper.strategy" -}}
{{- $strategy := deepCopy .Values.strategy }}
{{- $isShipped := eq (toJson $strategy.rollingUpdate) (toJson (include "registry-credential-helper.shippedStrategy" . | fromYaml).rollingUpdate) }}
{{- if eq ($strategy.type | default "") "Recreate" }}
{{- $strategy = omit $strategy "rollingUpdate" }}
{{- else if and .Values.webhook.hostNetwork (or $isShipped (not $strategy.rollingUpdate)) }}
{{- /* A Pod has its ports on the node for itself: the new one would wait for the old one, and that one for the new one. */}}
{{- $_ := set $strategy "rollingUpdate" (dict "maxUnavailable" 1 "maxSurge" 0) }}
{{- end }}
{{- with $strategy }}{{ toYaml . }}{{ end }}
{{- end }}

{{- define "registry-credential-helper.shippedStrategy" -}}
{{- (.Files.Get "files/missing-values.yaml" | fromYaml).strategy.default | toYaml }}
{{- end }}

{{/* Where Alibaba's and Tencent's own tools look for tokens. */}}
{{- define "registry-credential-helper.rrsaFolder" -}}
/var/run/secrets/ack.alibabacloud.com/rrsa-tokens
{{- end }}
{{- define "registry-credential-helper.tkeFolder" -}}
/var/run/secrets/tke.cloud.tencent.com/serviceaccount
{{- end }}

{{- define "registry-credential-helper.caFolder" -}}
/etc/registry-credential-helper/ca
{{- end }}

{{/* Environment of a container: where it is, identities, the way to clouds. A list. */}}
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
{{- if .Values.tke.enabled }}
- name: TKE_WEB_IDENTITY_TOKEN_FILE
  value: {{ include "registry-credential-helper.tkeFolder" . }}/token
{{- with .Values.tke.providerId }}
- name: TKE_PROVIDER_ID
  value: {{ . | quote }}
{{- end }}
{{- with .Values.tke.roleArn }}
- name: TKE_ROLE_ARN
  value: {{ . | quote }}
{{- end }}
{{- with .Values.tke.region | default .Values.global.cluster.longregion }}
- name: TKE_REGION
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.proxy }}
{{- if or .http .https }}
- name: NODE_USE_ENV_PROXY
  value: '1'
{{- with .http }}
- name: HTTP_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with .https }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
{{- end }}
# Never through a proxy: this node, the API server, and the metadata services of the clouds.
- name: NO_PROXY
  value: {{ concat .noProxy (list "localhost" "127.0.0.1" "$(KUBERNETES_SERVICE_HOST)" ".svc" ".cluster.local" "100.100.100.200" "metadata.tencentyun.com" "169.254.0.23") | uniq | join "," | quote }}
{{- end }}
{{- end }}
{{- if or .Values.extraCa.secretName .Values.extraCa.configMapName }}
- name: NODE_EXTRA_CA_CERTS
  value: {{ printf "%s/%s" (include "registry-credential-helper.caFolder" .) .Values.extraCa.key | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Volumes that identities and the way to clouds need, and those of the value extraVolumes. A list, maybe empty. */}}
{{- define "registry-credential-helper.identityVolumes" -}}
{{- if .Values.rrsa.enabled }}
# A token of this Pod's ServiceAccount that the cloud takes; the kubelet renews it.
- name: rrsa-oidc-token
  projected:
    sources:
      - serviceAccountToken:
          audience: sts.aliyuncs.com
          expirationSeconds: 3600
          path: token
{{- end }}
{{- if .Values.tke.enabled }}
- name: tke-oidc-token
  projected:
    sources:
      - serviceAccountToken:
          audience: {{ .Values.tke.audience | quote }}
          expirationSeconds: 3600
          path: token
{{- end }}
{{- with .Values.extraCa.secretName }}
- name: extra-ca
  secret:
    secretName: {{ . | quote }}
{{- end }}
{{- with .Values.extraCa.configMapName }}
- name: extra-ca
  configMap:
    name: {{ . | quote }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Where they are mounted. A list, maybe empty. */}}
{{- define "registry-credential-helper.identityVolumeMounts" -}}
{{- if .Values.rrsa.enabled }}
- name: rrsa-oidc-token
  mountPath: {{ include "registry-credential-helper.rrsaFolder" . }}
  readOnly: true
{{- end }}
{{- if .Values.tke.enabled }}
- name: tke-oidc-token
  mountPath: {{ include "registry-credential-helper.tkeFolder" . }}
  readOnly: true
{{- end }}
{{- if or .Values.extraCa.secretName .Values.extraCa.configMapName }}
- name: extra-ca
  mountPath: {{ include "registry-credential-helper.caFolder" . }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* All volumes of a Pod that talks to the API server: a token of an hour in the place of the one that is mounted by itself. */}}
{{- define "registry-credential-helper.volumes" -}}
- name: api-token
  projected:
    sources:
      - serviceAccountToken:
          expirationSeconds: 3600
          path: token
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- include "registry-credential-helper.identityVolumes" . }}
{{- end }}

{{/* Where they are mounted. */}}
{{- define "registry-credential-helper.volumeMounts" -}}
- name: api-token
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- include "registry-credential-helper.identityVolumeMounts" . }}
{{- end }}
