"""Every attribute, metric and label that we read or write, by its one name.

Standard names follow the stable OpenTelemetry semantic conventions; what they have no
word for lives under `prs.`. The `OLD_` names are read, never written: applications that
have not opted into the stable conventions still emit them.
"""

from __future__ import annotations

from typing import Final

# --- Instrumentation scopes we recognise ------------------------------------------------
DJANGO_SCOPE: Final = "opentelemetry.instrumentation.django"
QUERY_SCOPE: Final = "prs_otel.instrumentation.database"
MANUAL_SCOPE: Final = "prs_otel.manual"
COMMAND_SCOPE: Final = "prs_otel.commands"
CELERY_SCOPE: Final = "opentelemetry.instrumentation.celery"

# --- HTTP server spans ------------------------------------------------------------------
HTTP_ROUTE: Final = "http.route"
HTTP_REQUEST_METHOD: Final = "http.request.method"
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
URL_PATH: Final = "url.path"
URL_QUERY: Final = "url.query"
URL_FULL: Final = "url.full"
URL_SCHEME: Final = "url.scheme"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
CLIENT_ADDRESS: Final = "client.address"
USER_AGENT_ORIGINAL: Final = "user_agent.original"
HTTP_REQUEST_METHOD_ORIGINAL: Final = "http.request.method_original"
ERROR_TYPE: Final = "error.type"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
OLD_HTTP_METHOD: Final = "http.method"
OLD_HTTP_STATUS_CODE: Final = "http.status_code"
OLD_HTTP_TARGET: Final = "http.target"
OLD_HTTP_URL: Final = "http.url"
OLD_HTTP_USER_AGENT: Final = "http.user_agent"
OLD_HTTP_PEER_ADDRESS: Final = "net.peer.ip"

# --- Database client spans --------------------------------------------------------------
DB_SYSTEM_NAME: Final = "db.system.name"
DB_NAMESPACE: Final = "db.namespace"
DB_OPERATION_NAME: Final = "db.operation.name"
DB_OPERATION_BATCH_SIZE: Final = "db.operation.batch.size"
DB_COLLECTION_NAME: Final = "db.collection.name"
DB_STORED_PROCEDURE_NAME: Final = "db.stored_procedure.name"
DB_QUERY_SUMMARY: Final = "db.query.summary"
DB_QUERY_TEXT: Final = "db.query.text"
OLD_DB_SYSTEM: Final = "db.system"
OLD_DB_STATEMENT: Final = "db.statement"

# --- Source code ------------------------------------------------------------------------
CODE_FILE_PATH: Final = "code.file.path"
CODE_LINE_NUMBER: Final = "code.line.number"
CODE_FUNCTION_NAME: Final = "code.function.name"

# --- Resource ---------------------------------------------------------------------------
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
HOST_NAME: Final = "host.name"
PROCESS_PID: Final = "process.pid"

# --- Our own attributes -----------------------------------------------------------------
PRS_DB_ALIAS: Final = "prs.db.alias"
PRS_QUERY_FINGERPRINT: Final = "prs.db.query.fingerprint"
PRS_QUERY_SLOW: Final = "prs.db.query.slow"
PRS_QUERY_COUNT: Final = "prs.request.query_count"
USER_ID: Final = "user.id"
PRS_TASK_NAME: Final = "prs.task.name"
PRS_TASK_KIND: Final = "prs.task.kind"
CELERY_TASK_NAME: Final = "celery.task_name"
CELERY_RETRY_REASON: Final = "celery.retry.reason"
PRS_TENANT_ID: Final = "prs.tenant.id"
PRS_USER_ID: Final = "prs.user.id"
PRS_CACHE_ALIAS: Final = "prs.cache.alias"
PRS_ALERT_NAME: Final = "prs.alert.name"
PRS_ALERT_SEVERITY: Final = "prs.alert.severity"

# --- Metrics ----------------------------------------------------------------------------
HTTP_SERVER_REQUEST_DURATION: Final = "http.server.request.duration"
HTTP_SERVER_REQUEST_ERROR_RATE: Final = "http.server.request.error_rate"
DB_CLIENT_OPERATION_DURATION: Final = "db.client.operation.duration"
DB_CLIENT_CONNECTION_COUNT: Final = "db.client.connection.count"
DB_CLIENT_CONNECTION_MAX: Final = "db.client.connection.max"
DB_CLIENT_CONNECTION_PENDING_REQUESTS: Final = "db.client.connection.pending_requests"
USED: Final = "used"  # values of db.client.connection.state
IDLE: Final = "idle"
SYSTEM_CPU_UTILIZATION: Final = "system.cpu.utilization"
SYSTEM_CPU_LOAD_AVERAGE_1M: Final = "system.cpu.load_average.1m"
SYSTEM_MEMORY_UTILIZATION: Final = "system.memory.utilization"
SYSTEM_FILESYSTEM_UTILIZATION: Final = "system.filesystem.utilization"
PROCESS_CPU_UTILIZATION: Final = "process.cpu.utilization"
PROCESS_MEMORY_USAGE: Final = "process.memory.usage"
PROCESS_THREAD_COUNT: Final = "process.thread.count"
PRS_CACHE_HITS: Final = "prs.cache.hits"
PRS_CACHE_MISSES: Final = "prs.cache.misses"
PRS_CACHE_MEMORY_USAGE: Final = "prs.cache.memory.usage"
PRS_CACHE_MEMORY_LIMIT: Final = "prs.cache.memory.limit"
PRS_CACHE_ITEM_COUNT: Final = "prs.cache.item.count"
PRS_CACHE_EVICTIONS: Final = "prs.cache.evictions"
PRS_ALERT_ACTIVE: Final = "prs.alert.active"
PRS_TENANT_FAILURES: Final = "prs.tenant.failures"
