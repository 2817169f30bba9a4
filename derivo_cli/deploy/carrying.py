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
        done = _take(step, cloud)
        if done:
            tell(done)


def _take(step: planning.Step, cloud: Cloud) -> str:
    """What was done, where it is worth a line."""
    match step:
        case planning.Delete():
            cloud.delete()
            return "deleted the function"
        case planning.Create(kind, config, package):
            cloud.create(kind, config, package)
            return "created the function"
        case planning.UpdateCode(handler, package):
            cloud.update_code(handler, package)
            return "updated the code"
        case planning.UpdateConfig(config):
            cloud.update_config(config)
            return "updated the configuration"
        case planning.Publish(package):
            version = cloud.publish(package)
            cloud.point(version)
            return f"published version {version}, which serves now"
        case planning.Point(version):
            cloud.point(version)
            return f"version {version} serves now"
        case planning.Reserve(megabytes):
            cloud.reserve(megabytes)
        case planning.SetRetries(retries):
            cloud.set_retries(retries)
        case planning.AddTrigger(trigger):
            cloud.create_trigger(trigger)
            return f"made the trigger {trigger}"
        case planning.RemoveTrigger(trigger):
            cloud.delete_trigger(trigger)
            return f"removed the trigger {trigger}"
    return ""
