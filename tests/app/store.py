"""Everything that stands in a world's tables, read past the proxy and past the app's own code."""

from azure.data.tables.aio import TableServiceClient

from tests.sandbox.world import World

type Rows = dict[str, list[dict[str, str]]]


async def rows(world: World) -> Rows:
    """All rows of all tables of both accounts, by table; tables that hold nothing are left out."""
    found: Rows = {}
    for account in world.accounts:
        async with TableServiceClient.from_connection_string(account.connection_string()) as service:
            async for table in service.list_tables():
                client = service.get_table_client(table.name)
                there = [
                    {name: str(value) for name, value in entity.items()} async for entity in client.list_entities()
                ]
                if there:
                    found[table.name] = there
    return found
