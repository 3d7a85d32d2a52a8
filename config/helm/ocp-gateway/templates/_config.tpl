{{- /* The configuration with what has to fit the rest of the chart written into it. */ -}}
{{- define "ocp-gateway.config" -}}
{{- $secrets := "file:/run/secrets/ocp-gateway" -}}
{{- $name := include "ocp-gateway.fullname" . -}}
{{- $place := printf "%s.%s" $name .Release.Namespace -}}
{{- $hosts := list $name $place (printf "%s.svc" $place) (printf "%s.svc.%s" $place .Values.clusterDomain) -}}
{{- $server := .Values.config.server | default dict -}}
{{- $own := dict "host" "0.0.0.0" "port" 8080 "probe_listen" "0.0.0.0:8081" -}}
{{- $_ := set $own "allowed_hosts" (concat $hosts ($server.allowed_hosts | default list)) -}}
{{- $keys := list -}}
{{- range .Values.apiKeys -}}
{{- $key := dict "id" .id "key" (printf "%s/%s" $secrets .secretKey) -}}
{{- if .admin -}}{{- $_ := set $key "admin" true -}}{{- end -}}
{{- $keys = append $keys $key -}}
{{- end -}}
{{- $store := dict "url" (printf "%s/%s" $secrets .Values.storeUrlKey) -}}
{{- $mcp := dict "state_key" (printf "%s/%s" $secrets .Values.stateKeyKey) -}}
{{- $written := dict "server" $own "store" $store "auth" (dict "api_keys" $keys) "mcp" $mcp -}}
{{- mustMergeOverwrite (deepCopy .Values.config) $written | toYaml -}}
{{- end -}}
