"""CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration, DeleteFunction: what is deployed really runs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import msgspec

from coslocal.scf import code as packaged
from coslocal.scf.actions.finding import check_namespace, find, find_active
from coslocal.scf.code import Code, CodeError
from coslocal.scf.function import (
    LONGEST_TIMEOUT,
    MEMORY_SIZES,
    MOST_VARIABLES,
    RESERVED_PREFIXES,
    Function,
    FunctionError,
)
from coslocal.scf.service import Scf
from coslocal.tencentapi.api import Content
from coslocal.tencentapi.errors import ApiError
from coslocal.tencentapi.parameters import Parameters
from derivo.ci import limits

Fetch = Callable[[str, str], bytes | None]
"""The bytes of an object of a bucket, None when there is none."""

RUNTIMES = ("Python3.6", "Python3.7", "Python3.9", "Python3.10")
"""Those of SCF 2.5 that an interpreter of 3.9 or newer can stand in for."""
LONGEST_DESCRIPTION = 1000


class Variable(Parameters, frozen=True):
    key: str
    value: str


class Environment(Parameters, frozen=True):
    variables: tuple[Variable, ...] = ()


class CodeGiven(Parameters, frozen=True):
    zip_file: str | None = None
    cos_bucket_name: str | None = None
    cos_object_name: str | None = None
    cos_bucket_region: str | None = None


class PublicNet(Parameters, frozen=True):
    public_net_status: Literal["ENABLE", "DISABLE"]
    eip_config: dict[str, str] | None = None


class DeadLetter(Parameters, frozen=True):
    type: str
    name: str
    filter_type: str = ""


class Settings(Parameters, frozen=True):
    """What both calls may set; None leaves it as it is, or as it is by default."""

    function_name: str
    namespace: str = "default"
    description: str | None = None
    memory_size: int | None = None
    timeout: int | None = None
    init_timeout: int | None = None
    environment: Environment | None = None
    role: str | None = None
    public_net_config: PublicNet | None = None
    dead_letter_config: DeadLetter | None = None
    cls_logset_id: str | None = None
    cls_topic_id: str | None = None
    # these the cloud has as well; coslocal refuses to seem to do what they ask for
    vpc_config: Any = None
    layers: Any = None
    cfs_config: Any = None
    tags: Any = None
    protocol_params: Any = None
    instance_concurrency_config: Any = None
    intranet_config: Any = None
    dns_cache: Any = None
    install_dependency: Any = None


class CreateFunction(Settings, frozen=True, kw_only=True):
    code: CodeGiven
    handler: str = "index.main_handler"
    runtime: str = "Python2.7"
    type: str = "Event"
    code_source: str | None = None
    async_run_enable: Literal["TRUE", "FALSE"] = "FALSE"
    trace_enable: Literal["TRUE", "FALSE"] = "FALSE"


class UpdateConfiguration(Settings, frozen=True, kw_only=True):
    runtime: str | None = None
    publish: Literal["TRUE", "FALSE"] = "FALSE"


class UpdateCode(Parameters, frozen=True):
    function_name: str
    namespace: str = "default"
    handler: str | None = None
    zip_file: str | None = None
    cos_bucket_name: str | None = None
    cos_object_name: str | None = None
    cos_bucket_region: str | None = None
    code: CodeGiven | None = None
    code_source: str | None = None
    publish: Literal["TRUE", "FALSE"] = "FALSE"


class DeleteFunction(Parameters, frozen=True):
    function_name: str
    namespace: str = "default"
    qualifier: str | None = None


_UNOFFERED = (
    "vpc_config", "layers", "cfs_config", "tags", "protocol_params", "instance_concurrency_config", "intranet_config",
    "dns_cache", "install_dependency",
)  # fmt: skip


def create_function(scf: Scf, fetch: Fetch, wanted: CreateFunction) -> Content:
    """It is Creating, then Active; CreateFailed when its code cannot be unpacked or has no such handler."""
    if wanted.type != "Event" or wanted.async_run_enable == "TRUE":
        raise ApiError("UnsupportedOperation", "coslocal runs event functions, and not in asynchronous-execution mode")
    if wanted.runtime not in RUNTIMES:
        raise ApiError("InvalidParameterValue.Runtime", f"coslocal runs {', '.join(RUNTIMES)}")
    check_namespace(scf, wanted.namespace)
    if scf.deployed(wanted.function_name) is not None:
        raise ApiError("ResourceInUse.FunctionName", f"There is a function {wanted.function_name[:100]} already")
    try:
        plain = scf.template(wanted.function_name)
    except FunctionError as error:
        raise ApiError("InvalidParameterValue.FunctionName", str(error)) from None
    plain = replace(plain, namespace=wanted.namespace, runtime=wanted.runtime, role="", timeout=3, memory_size=128)
    function = _configured(plain, wanted)
    function = _made(function, handler=wanted.handler)
    code, problem = _unpacked(scf, _bytes(scf, fetch, wanted.code), function.handler)
    scf.deploy(replace(function, root=code.root), code, problem)
    return {}


def update_code(scf: Scf, fetch: Fetch, wanted: UpdateCode) -> Content:
    """It is Updating, then Active; UpdateFailed when the code is not fit, and what was there before stays."""
    deployed = find_active(scf, wanted.function_name, wanted.namespace, "UpdateFailed")
    _publishes(wanted.publish)
    given = wanted.code or CodeGiven(
        zip_file=wanted.zip_file, cos_bucket_name=wanted.cos_bucket_name, cos_object_name=wanted.cos_object_name,
        cos_bucket_region=wanted.cos_bucket_region,
    )  # fmt: skip
    function = _made(deployed.function, handler=wanted.handler or deployed.function.handler)
    code, problem = _unpacked(scf, _bytes(scf, fetch, given), function.handler)
    deployed.update(replace(function, root=code.root), code, scf.phase("Updating", problem))
    return {}


def update_configuration(scf: Scf, wanted: UpdateConfiguration) -> Content:
    deployed = find_active(scf, wanted.function_name, wanted.namespace, "UpdateFailed")
    _publishes(wanted.publish)
    if wanted.runtime not in (None, deployed.function.runtime):
        raise ApiError("InvalidParameterValue.Runtime", "The runtime of a function cannot be changed")
    latest = deployed.latest
    deployed.update(_configured(latest.function, wanted), latest.code, scf.phase("Updating"))
    return {}


def delete_function(scf: Scf, wanted: DeleteFunction) -> Content:
    """With its versions and triggers. A single version is not deleted."""
    deployed = find(scf, wanted.function_name, wanted.namespace)
    if wanted.qualifier is not None:
        raise ApiError("UnsupportedOperation", "coslocal deletes a function with all of its versions")
    if deployed.state() in ("Creating", "Updating", "Deleting"):
        raise ApiError("FailedOperation.FunctionStatusError", f"{wanted.function_name} is {deployed.state()}")
    scf.remove(wanted.function_name)
    return {}


def _configured(function: Function, wanted: Settings) -> Function:
    """What is asked for, put over what there is. Raises ApiError with the documented code."""
    for name in _UNOFFERED:
        if getattr(wanted, name) is not None:
            shown = next(item.encode_name for item in msgspec.structs.fields(wanted) if item.name == name)
            raise ApiError("UnsupportedOperation", f"coslocal does not offer {shown}")
    if len(wanted.description or "") > LONGEST_DESCRIPTION:
        raise ApiError("InvalidParameterValue.Description", f"A description has {LONGEST_DESCRIPTION} characters")
    if wanted.memory_size is not None and wanted.memory_size not in MEMORY_SIZES:
        raise ApiError("InvalidParameterValue.MemorySize", "MemorySize is 64, or 128 to 3072 in steps of 128")
    if wanted.timeout is not None and not 1 <= wanted.timeout <= LONGEST_TIMEOUT:
        raise ApiError("InvalidParameterValue.Timeout", f"Timeout is 1 to {LONGEST_TIMEOUT}")
    changes: dict[str, Any] = {
        name: value
        for name in ("description", "memory_size", "timeout", "init_timeout", "role")
        if (value := getattr(wanted, name)) is not None
    }
    if wanted.environment is not None:
        changes["variables"] = _variables(wanted.environment)
    changes["stored"] = {**function.stored, **_stored(wanted)}
    return _made(function, **changes)


def _variables(environment: Environment) -> Mapping[str, str]:
    variables = {item.key: item.value for item in environment.variables}
    if len(variables) != len(environment.variables):
        raise ApiError("InvalidParameterValue.Environment", "A variable is there twice")
    if any(name.startswith(RESERVED_PREFIXES) for name in variables):
        raise ApiError(
            "InvalidParameterValue.EnvironmentSystemProtect", f"The platform keeps {', '.join(RESERVED_PREFIXES)}"
        )
    if sum(len(f"{name}={value}".encode("utf-8", "surrogateescape")) for name, value in variables.items()) > (
        MOST_VARIABLES
    ):
        raise ApiError("InvalidParameterValue.EnvironmentExceededLimit", f"More than {MOST_VARIABLES} bytes")
    return variables


def _stored(wanted: Settings) -> dict[str, Any]:
    """What GetFunction tells again, in its shapes."""
    stored: dict[str, Any] = {}
    if wanted.public_net_config is not None:
        eip = wanted.public_net_config.eip_config or {"EipStatus": "DISABLE"}
        stored["PublicNetConfig"] = {"PublicNetStatus": wanted.public_net_config.public_net_status, "EipConfig": eip}
    if wanted.dead_letter_config is not None:
        stored["DeadLetterConfig"] = msgspec.to_builtins(wanted.dead_letter_config)
    if wanted.cls_logset_id is not None:
        stored["ClsLogsetId"] = wanted.cls_logset_id
    if wanted.cls_topic_id is not None:
        stored["ClsTopicId"] = wanted.cls_topic_id
    return stored


def _made(function: Function, **changes: Any) -> Function:
    try:
        return replace(function, **changes)
    except FunctionError as error:
        word = "Handler" if "handler" in changes else "Param"
        raise ApiError(f"InvalidParameterValue.{word}", str(error)) from None


def _publishes(publish: str) -> None:
    if publish == "TRUE":
        raise ApiError("UnsupportedOperation", "coslocal publishes by PublishVersion alone")


def _bytes(scf: Scf, fetch: Fetch, given: CodeGiven) -> bytes:
    if (given.zip_file is None) == (given.cos_bucket_name is None):
        raise ApiError("InvalidParameterValue.Code", "Code takes either a ZipFile or an object of a bucket")
    if given.zip_file is not None:
        try:
            data = base64.b64decode(given.zip_file, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ApiError("InvalidParameterValue.ZipFileBase64BinasciiError", str(error)) from None
        if len(data) > limits.ZIP_BYTES:
            raise ApiError("InvalidParameterValue.ZipFile", f"The zip has more than {limits.ZIP_BYTES} bytes")
    else:
        data = _of_object(scf, fetch, given)
    try:
        packaged.check(data)
    except CodeError as error:
        raise ApiError("InvalidParameterValue.ZipFile", str(error)) from None
    return data


def _of_object(scf: Scf, fetch: Fetch, given: CodeGiven) -> bytes:
    if not (given.cos_object_name or "").startswith("/"):
        raise ApiError("InvalidParameterValue.CosObjectName", "CosObjectName begins with a slash")
    if given.cos_bucket_region not in (None, "", scf.account.region):
        raise ApiError("InvalidParameterValue.CosBucketRegion", f"This coslocal is in {scf.account.region}")
    bucket = f"{given.cos_bucket_name}-{scf.account.appid}"
    found = fetch(bucket, str(given.cos_object_name)[1:])
    if found is None:
        raise ApiError("ResourceNotFound.CosObject", f"There is no {bucket}{given.cos_object_name}")
    return found


def _unpacked(scf: Scf, data: bytes, handler: str) -> tuple[Code, str]:
    """The code, and why a function cannot be made of it ("": it can)."""
    try:
        code = packaged.unpack(data, scf.folder)
    except CodeError as error:
        return Code(scf.folder, "", len(data)), str(error)
    module = handler.partition(".")[0]
    if not any((code.root / f"{module}{ending}").is_file() for ending in (".py", ".pyc")):
        return code, f"there is no file {module}.py at the root of the code"
    return code, ""
