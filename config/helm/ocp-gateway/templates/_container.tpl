{{- /*
The gateway's container. Takes a dict: image, pullPolicy, resources; http and secrets (whether it has the port for
callers and the Secret's volume); sidecar (whether it is a native one); sleep (seconds before SIGTERM).
*/ -}}
{{- define "ocp-gateway.container" -}}
- name: ocp-gateway
  image: {{ .image | quote }}
  imagePullPolicy: {{ .pullPolicy | default "IfNotPresent" }}
  {{- if .sidecar }}
  restartPolicy: Always
  {{- end }}
  args: [serve, /etc/ocp-gateway/gateway.yaml, --log-format, json]
  ports:
    {{- if .http }}
    - name: http
      containerPort: 8080
    {{- end }}
    - name: probes
      containerPort: 8081
  startupProbe:
    httpGet:
      path: /healthz
      port: probes
    periodSeconds: 1
    failureThreshold: 60
  readinessProbe:
    httpGet:
      path: /readyz
      port: probes
    periodSeconds: 5
    timeoutSeconds: 2
  livenessProbe:
    httpGet:
      path: /healthz
      port: probes
    periodSeconds: 10
    timeoutSeconds: 3
  {{- if .sleep }}
  lifecycle:
    preStop:
      sleep:
        seconds: {{ .sleep }}
  {{- end }}
  resources:
    {{- toYaml .resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
  volumeMounts:
    - name: gateway-config
      mountPath: /etc/ocp-gateway
      readOnly: true
    {{- if .secrets }}
    - name: gateway-secrets
      mountPath: /run/secrets/ocp-gateway
      readOnly: true
    {{- end }}
    - name: gateway-state
      mountPath: /var/lib/ocp-gateway
    - name: gateway-tmp
      mountPath: /tmp
{{- end -}}

{{- /* Its volumes. Takes a dict: configMap, and secret where there is one. */ -}}
{{- define "ocp-gateway.volumes" -}}
- name: gateway-config
  configMap:
    name: {{ .configMap }}
{{- if .secret }}
- name: gateway-secrets
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
{{- end }}
- name: gateway-state
  emptyDir:
    sizeLimit: 1Gi
- name: gateway-tmp
  emptyDir:
    sizeLimit: 1Gi
{{- end -}}

{{- define "ocp-gateway.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}
