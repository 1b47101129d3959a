"""What an act of offboarding leaves to the target's administrator when it cannot do it, by what is known of it. Pure."""

from shared.identifiers import TenantId
from shared.running.planning import surplus
from shared.tenants.record import Left, Tenant
from shared.writes.by_hand import undo_in_target


def left_by(tenant: Tenant, source: TenantId, number: int, why: str) -> Left | None:
    """What is left when the act is given up now; None where nothing is."""
    match number:
        case 21:
            principals = tuple(sorted(one.principal_id for one in surplus(tenant).values() if not one.plain))
            what = f"{len(principals)} eligibilities for Security Reader"
            return Left(act=number, what=what, why=why, objects=principals) if principals else None
        case 24:
            remaining = sorted(tenant.leavers.values(), key=lambda one: one.display_name)
            accounts = tuple(one.target_object_id for one in remaining if one.target_object_id is not None)
            what = f"accounts of {', '.join(one.display_name for one in remaining)}"
            return Left(act=number, what=what, why=why, objects=accounts) if remaining else None
        case 27:
            undo = undo_in_target(tenant, source)
            return Left(act=number, what="trust in the source", why=why, undo=undo) if undo else None
        case _:
            return None


def group_assigned(tenant: Tenant) -> Left | None:
    """The target's own group, to which its administrator assigned the role for good; an account's goes with the account."""
    if not any(one.plain and one.analyst_id is None for one in tenant.eligibilities.values()):
        return None
    what = "the group's assignment of Security Reader"
    return Left(act=21, what=what, why="the target has no PIM: its administrator made it, for good")
