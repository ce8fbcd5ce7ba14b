"""Lets the stations work by what central says: items, templates, settings, labels to print. Loop.

What it needs is in the journal; here it is put to use. The replicator's thread calls `follow` and
`label_for`, others the rest.
"""

from collections.abc import Sequence
from decimal import Decimal
from threading import RLock

from central.contract.notices import PrintRequested
from drivers.labels import Label
from gateway.clock import Clock
from gateway.config_sections import GatewayConfig, StationSection
from gateway.devices.check import ConfiguredDevice
from gateway.health import Health, InstallationTrouble
from gateway.journal.journal import Journal
from gateway.journal.records import Applied
from gateway.logs import log_event
from gateway.remote_settings import RefusedSetting, with_settings
from gateway.station.catalogue import Catalogue
from gateway.station.effects import NewPrintJob
from gateway.station.session import StationSetup
from gateway.station.templates.files import labels_folder, use_templates, write_central_templates
from gateway.station.templates.fill import fill_template
from gateway.station.templates.model import TemplateSet
from gateway.station_loop import StationLoop

NO_LABEL = Label(Decimal(1), Decimal(1), ())


class Following:
    """What the stations work by now: catalogue, configuration, devices and templates."""

    def __init__(
        self,
        config: GatewayConfig,
        devices: Sequence[ConfiguredDevice],
        catalogue: Catalogue,
        *,
        journal: Journal,
        health: Health,
        clock: Clock,
    ) -> None:
        """config: of the file; what central has set is put in here, also what it set earlier."""
        self._file_config = config
        self._devices = tuple(devices)
        self._catalogue = catalogue
        self._journal = journal
        self._health = health
        self._clock = clock
        self._stations: dict[str, StationLoop] = {}
        self._lock = RLock()
        self._config = config
        self._templates = TemplateSet(())
        self._take_settings()
        self._take_templates()

    @property
    def config(self) -> GatewayConfig:
        """Return the configuration with central's settings in it."""
        with self._lock:
            return self._config

    @property
    def catalogue(self) -> Catalogue:
        """Return the reference data that counts now."""
        with self._lock:
            return self._catalogue

    @property
    def setup(self) -> StationSetup:
        """Return how the first station works now."""
        return self.setup_of(self._file_config.work_places[0].code)

    def setup_of(self, code: str) -> StationSetup:
        """Return how a station works now."""
        with self._lock:
            place = next(one for one in self._config.work_places if one.code == code)
            return _station_setup(self._config, place, self._devices, self._templates)

    def lead(self, station: StationLoop, code: str = "") -> None:
        """Tell a station all that changes from now on. code: whose loop it is, "" the first's."""
        with self._lock:
            self._stations[code or self._file_config.work_places[0].code] = station
            self._tell_stations()

    def set_devices(self, devices: Sequence[ConfiguredDevice]) -> None:
        """Work with these devices from now on."""
        with self._lock:
            self._devices = tuple(devices)
            self._tell_stations()

    def follow(self, applied: Applied) -> None:
        """Take up what has changed; it is in the journal."""
        with self._lock:
            if applied.reference:
                self._take_reference()
            if applied.settings:
                self._take_settings()
            if applied.templates:
                self._take_templates()
            if applied.reference or applied.settings or applied.templates:
                self._tell_stations()
            if applied.shares:
                for station in self._stations.values():
                    station.look_again()

    def label_for(self, request: PrintRequested) -> tuple[NewPrintJob, str]:
        """Return the print job for a request, and why it cannot be printed, "" if it can."""
        setup = self._setup_to_print(request.printer)
        printer = request.printer or next(iter(setup.printers), "")
        template = setup.templates.find(request.template)
        values = tuple((field.name, field.value) for field in request.fields)
        label: Label | None = NO_LABEL
        refused = ""
        if not printer:
            refused = "This station has no label printer."
        elif printer not in setup.printers:
            refused = f"No label printer here is called {printer}."
        elif template is None:
            refused = f"There is no label template {request.template}."
        else:
            label = fill_template(template, values, language=setup.language)
            if label is None:
                refused = "A bar code is too long for the template."
        said = ", ".join(value for _, value in values if value)
        job = NewPrintJob(
            printer=printer,
            template=request.template,
            content=f"{request.job}: {said}",
            label=label or NO_LABEL,
            copies_count=request.copies_count,
            station=setup.station,
        )
        return job, refused

    def _setup_to_print(self, printer: str) -> StationSetup:
        """Return the station of a printer; of none that is known, the first that has one."""
        setups = [self.setup_of(one.code) for one in self._file_config.work_places]
        of_printer = [one for one in setups if printer in one.printers]
        with_printer = [one for one in setups if one.printers]
        return [*of_printer, *with_printer, *setups][0]

    def _take_reference(self) -> None:
        self._catalogue = Catalogue(
            self._journal.reference(), warehouse=self._file_config.gateway.warehouse
        )
        log_event("info", "reference data from central", revision=self._catalogue.revision)

    def _take_settings(self) -> None:
        settings = self._journal.knowledge.settings()
        self._config, refused = with_settings(self._file_config, settings)
        _tell_refused(refused, self._health, now_ms=self._clock.now_ms())
        if settings:
            taken = {one.name: one.value for one in settings} | {one.name: "" for one in refused}
            log_event("info", "settings from central", **{k: v for k, v in taken.items() if v})

    def _take_templates(self) -> None:
        folder = labels_folder(self._file_config.gateway.data_directory)
        texts = {one.name: one.text for one in self._journal.knowledge.templates()}
        try:
            write_central_templates(folder, texts)
        except OSError as error:  # Tried again with the next change and at the next start.
            log_event(
                "error",
                "label templates from central not written",
                detail=str(error),
                hint=f"Let the gateway's user write {folder}, and make space.",
            )
        self._templates = use_templates(folder)

    def _tell_stations(self) -> None:
        for code, station in self._stations.items():
            station.use_catalogue(self._catalogue)
            station.use_setup(self.setup_of(code))


def _tell_refused(refused: Sequence[RefusedSetting], health: Health, *, now_ms: int) -> None:
    names = {one.name for one in refused}
    for known in health.troubles():
        if known.problem == "setting_refused" and known.subject not in names:
            health.clear_trouble("setting_refused", known.subject)
    for one in refused:
        log_event(
            "warning",
            "setting from central not used",
            setting=one.name,
            reason=one.reason,
            hint="Correct it at central.",
        )
        health.set_trouble(InstallationTrouble("setting_refused", one.name, one.reason, now_ms))


def _station_setup(
    config: GatewayConfig,
    place: StationSection,
    devices: Sequence[ConfiguredDevice],
    templates: TemplateSet,
) -> StationSetup:
    def names(device_class: str) -> tuple[str, ...]:
        of_class = [
            device.section.name
            for device in devices
            if device.driver.device_class == device_class
            and config.station_of_device(device.section.name) == place.code
        ]
        named_first = [name for name in place.devices if name in of_class]
        return tuple(dict.fromkeys([*named_first, *of_class]))

    return StationSetup(
        station=place.code,
        warehouse=config.gateway.warehouse,
        receive_location=place.receive_location,
        ship_location=place.ship_location,
        returns_location=place.returns_location,
        pick_to=place.pick_to,
        scales=names("scale"),
        printers=names("label_printer"),
        sscc_company_prefix=place.sscc_company_prefix,
        sscc_extension_digit=place.sscc_extension_digit,
        templates=templates,
        place_template=place.place_template,
        pallet_template=place.pallet_template,
        language=config.gateway.language,
    )
