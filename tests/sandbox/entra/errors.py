"""Entra's token errors: AADSTS codes in the shape of the token endpoint (section 9.2 of the Graph contract)."""

from datetime import datetime
from uuid import uuid4


class EntraError(Exception):
    """What the token endpoint or the consent page answers instead."""

    def __init__(self, status: int, error: str, number: int, text: str, **further: str) -> None:
        super().__init__(f"AADSTS{number}: {text}")
        self.further = further
        self.status = status
        self.error = error
        self.number = number
        self.text = text

    def wire(self, at: datetime) -> dict[str, object]:
        """The JSON of the token endpoint."""
        trace, correlation = str(uuid4()), str(uuid4())
        stamp = at.strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {stamp}",
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            **self.further,
        }


def unknown_tenant(name: str) -> EntraError:
    """No such tenant."""
    return EntraError(400, "invalid_request", 90002, f"Tenant '{name}' not found.")


def not_in_tenant(app_id: str, tenant: str) -> EntraError:
    """The application has no service principal there: nobody consented, or it was removed."""
    text = f"Application with identifier '{app_id}' was not found in the directory '{tenant}'."
    return EntraError(400, "unauthorized_client", 700016, text)


def no_federated_match(what: str, value: str, number: int = 700213) -> EntraError:
    """The assertion matches no federated credential of the application."""
    text = f"No matching federated identity record found for presented assertion {what} '{value}'."
    return EntraError(401, "invalid_client", number, text)


def unknown_resource(resource: str, tenant: str) -> EntraError:
    """The scope names a resource that the tenant doesn't know."""
    text = f"The resource principal named {resource} was not found in the tenant named {tenant}."
    return EntraError(400, "invalid_resource", 500011, text)


def missing_parameter(name: str) -> EntraError:
    """A parameter that the protocol asks for."""
    text = f"The request body must contain the following parameter: '{name}'."
    return EntraError(400, "invalid_request", 900144, text)
