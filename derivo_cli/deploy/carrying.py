"""Takes the steps of a plan, one after the other, each until the platform is done with it."""

from __future__ import annotations

from collections.abc import Callable

from derivo_cli.deploy import planning
from derivo_cli.deploy.cloud import Cloud
from derivo_cli.deploy.planning import Plan

Tell = Callable[[str], None]


def carry_out(plan: Plan, cloud: Cloud, tell: Tell) -> None:
    """Raises ApiFailure and Stop; what was done until then stays, and a new plan goes on from there."""
    for step in plan.steps:
        _take(step, cloud, tell)


def _take(step: planning.Step, cloud: Cloud, tell: Tell) -> None:
    match step:
        case planning.Delete():
            cloud.delete()
            tell("deleting the function")
            cloud.gone()
        case planning.Create(kind, config, package):
            cloud.create(kind, config, package)
            tell("creating the function")
            cloud.active()
        case planning.UpdateCode(handler, package):
            cloud.update_code(handler, package)
            tell("updating the code")
            cloud.active()
        case planning.UpdateConfig(config):
            cloud.update_config(config)
            tell("updating the configuration")
            cloud.active()
        case planning.Publish(package):
            version = cloud.publish(package)
            tell(f"publishing version {version}")
            cloud.active(version)
            cloud.point(version)
        case planning.Point(version):
            cloud.point(version)
            tell(f"$DEFAULT is version {version}")
        case planning.Reserve(megabytes):
            cloud.reserve(megabytes)
        case planning.SetRetries(retries):
            cloud.set_retries(retries)
        case planning.AddTrigger(trigger):
            cloud.create_trigger(trigger)
            tell(f"trigger {trigger}")
        case planning.RemoveTrigger(trigger):
            cloud.delete_trigger(trigger)
            tell(f"no more: trigger {trigger}")
