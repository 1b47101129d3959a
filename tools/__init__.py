"""What makes things: the README's tables, what infra/ declares of permissions, the package that is deployed."""
