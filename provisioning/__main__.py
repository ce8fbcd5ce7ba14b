"""The command `dockledger-provision`: authority, broker, gateway packages, cards, releases. Root.

Each group of commands stands in a module of its own and is added below. Exit codes: 0 done, 1 a
finding, 2 wrong usage or input. Results go to standard output.
"""

import typer

from provisioning.first_boot.commands import image
from provisioning.packaging.commands import deb, release_app
from provisioning.secure_command import secure, set_settings
from provisioning.trust_commands import blank_package, broker, ca_app, gateway_package

app = typer.Typer(
    name="dockledger-provision",
    help="From a blank card to an enrolled gateway: certificates, broker, images, releases.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 a finding, 2 usage or input.",
)


app.add_typer(ca_app, name="ca")
app.command("broker")(broker)
app.command("gateway-package")(gateway_package)
app.command("blank-package")(blank_package)
app.command("secure")(secure)
app.command("set")(set_settings)


app.add_typer(release_app, name="release")
app.command("deb")(deb)
app.command("image")(image)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
