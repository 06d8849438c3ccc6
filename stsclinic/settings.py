"""The one settings file. Every environment variable is read once, in stsclinic/environment.py."""

from datetime import timedelta

from csp.constants import NONE, SELF

from stsclinic import environment

ENV = environment.read()
BASE_DIR = environment.ROOT
DATA_DIR = ENV.data

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS = ENV.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENV.trusted_origins

INSTALLED_APPS = [
    "stsclinic.clinics",
    "stsclinic.audit",
    "lesions",
    "sessions_app",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "stsclinic.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "stsclinic.clinics.sign_in.IdleSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "stsclinic.clinics.sign_in.SessionEndMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "stsclinic.access.AccessMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "stsclinic.urls"
WSGI_APPLICATION = "stsclinic.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "stsclinic.menu.page_context",
            ],
            "builtins": ["stsclinic.templatetags.clinic"],
        },
    },
]

DATABASES = {"default": {**ENV.database, "ATOMIC_REQUESTS": False, "CONN_MAX_AGE": 60}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL with synchronous=FULL survives a power cut without losing an acknowledged save;
    # IMMEDIATE takes the write lock at the start, so that two writers wait and never fail.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Every cursor here is read to its end; by default PostgreSQL plans for the first tenth of its rows. What its
    # compiler takes for a query is more than the query saves by it.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
        "options", "-c cursor_tuple_fraction=1 -c jit=off"
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "clinics.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"

# Sign-in is throttled by user name and address together, so that a stranger cannot lock a colleague out.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=10)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# One address may fail often, since a whole clinic may stand behind it; but who tries many names is stopped too.
AXES_HANDLER = "stsclinic.clinics.sign_in.SignInThrottle"
SIGN_IN_FAILURES_PER_ADDRESS = 60
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_RESET_ON_SUCCESS = True
# Further attempts while it is paused do not make the pause longer: the page that says so promises ten minutes.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # the events of stsclinic.audit say who signed in
AXES_CLIENT_IP_CALLABLE = "stsclinic.clinics.sign_in.client_address"
AXES_USERNAME_CALLABLE = "stsclinic.clinics.sign_in.counted_name"
AXES_SENSITIVE_PARAMETERS = ["username", "next", "csrfmiddlewaretoken"]
BEHIND_PROXY = ENV.https

# A session ends after these idle minutes, and however busy, after a working day.
SESSION_COOKIE_AGE = ENV.idle_minutes * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_LONGEST = timedelta(hours=12)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if ENV.https:
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrf"
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
# The one page that takes photographs allows itself the camera (sessions_app/views/photographs.py).
PERMISSIONS_POLICY: dict[str, str | list[str] | tuple[str]] = {
    feature: [] for feature in ("camera", "geolocation", "microphone", "payment", "usb", "display-capture")
}

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = ENV.time_zone

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": DATA_DIR / "photographs",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "stsclinic.static_files.StaticFiles"},
}
# A session sheet of 22 lesions has several hundred fields; a data sheet workbook several megabytes.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
PHOTOGRAPH_MAX_BYTES = 25 * 1024 * 1024
# Data sheets as they are sent, and their CSV files unpacked, all together: 1,000,000 injections with their sessions and
# assessments are some 150 MB, and a tenth of it or less as a zip.
DATA_SHEETS_MAX_BYTES = 50 * 1024 * 1024
DATA_SHEETS_MAX_UNPACKED_BYTES = 256 * 1024 * 1024
# Uploaded data sheets between their preview and their import.
WAITING_UPLOADS = DATA_DIR / "uploads"
EXPORTS_DIR = DATA_DIR / "exports"

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# Error pages and logs never hold what was typed: no local variables, no request body, no query.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "stsclinic.audit.logs.QuietFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "filters": {"without_sent_back": {"()": "stsclinic.audit.logs.WithoutSentBack"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"filters": ["without_sent_back"]},
    },
}

# This file stands where a demonstration was loaded; every page then says so.
DEMO_MARK = DATA_DIR / "demonstration"
