"""What moto does not do as AWS does, and a rollback cannot be shown without.

- DeleteLaunchTemplateVersions does not exist; numbers of versions are found by
  their place in a list.
- CreateLaunchTemplateVersion forgets the source version and the client token.
- CreateAutoScalingGroup forgets the lifecycle hooks it is given, and replaces a
  group of the same name.
- A group that is given a launch template keeps its launch configuration beside
  it, and the other way round.
- Who may not do something is told so in the words of no service; a signature
  is compared with that of a form in which a space is written otherwise.
- CreateListener takes a port that is taken. Asked for the same once more, as by
  a client whose answer was lost, it and CreateTargetGroup do nothing on AWS.
- PutObject and DeleteObject look whether their condition holds, and act on it
  later: of two requests that come together both may be let through.
"""

import threading
from xml.sax.saxutils import escape

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import AccessDeniedError
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.elbv2.exceptions import DuplicateListenerError
from moto.elbv2.models import ELBv2Backend
from moto.iam.access_control import IAMRequest
from moto.s3.responses import S3Response


def create_version(self, data, description):
    # A number is never used twice.
    self.last_number = getattr(self, "last_number", 0) + 1
    version = LaunchTemplateVersion(self, self.last_number, data, description)
    self.versions.append(version)
    return version


def get_version(self, num):
    if str(num).lower() == "$latest":
        return self.versions[-1]
    wanted = self.default_version_number if str(num).lower() == "$default" else num
    for version in self.versions:
        if str(version.number) == str(wanted):
            return version
    raise InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=num)


LaunchTemplate.create_version = create_version
LaunchTemplate.get_version = get_version
LaunchTemplate.default_version = lambda self: self.get_version("$default")


def template_of(self):
    name, number = self._get_param("LaunchTemplateName"), self._get_param("LaunchTemplateId")
    if name:
        return self.ec2_backend.get_launch_template_by_name(name)
    return self.ec2_backend.get_launch_template(number)


def version_result(self, template, version):
    return ActionResult({
        "LaunchTemplateVersion": {
            "CreateTime": version.create_time,
            "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
            "DefaultVersion": template.is_default(version),
            "LaunchTemplateData": version.data,
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionDescription": version.description,
            "VersionNumber": version.number,
        }
    })


def create_launch_template_version(self):
    template, token = template_of(self), self._get_param("ClientToken")
    tokens = template.__dict__.setdefault("tokens", {})
    version = tokens.get(token)
    if version not in template.versions:
        data, source = self._get_param("LaunchTemplateData", {}), self._get_param("SourceVersion")
        if source:
            data = {**template.get_version(source).data, **data}
        version = template.create_version(data, self._get_param("VersionDescription"))
        tokens[token] = version
    return version_result(self, template, version)


def delete_launch_template_versions(self):
    template = template_of(self)
    deleted, kept = [], []
    for number in self._get_param("Versions", []):
        item = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": int(number),
        }
        found = [one for one in template.versions if str(one.number) == str(number)]
        if not found:
            error = {"Code": "launchTemplateVersionDoesNotExist", "Message": "it does not exist"}
            kept.append({**item, "ResponseError": error})
        elif template.is_default(found[0]):
            error = {"Code": "unexpectedError", "Message": "the default version stays"}
            kept.append({**item, "ResponseError": error})
        else:
            template.versions.remove(found[0])
            deleted.append(item)
    return ActionResult({
        "SuccessfullyDeletedLaunchTemplateVersions": deleted,
        "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
    })


LaunchTemplates.create_launch_template_version = create_launch_template_version
LaunchTemplates.delete_launch_template_versions = delete_launch_template_versions

set_launch = FakeAutoScalingGroup._set_launch_configuration


def launch_from_one(self, configuration, template, policy=None, **named):
    policy = named.get("mixed_instances_policy", policy)
    set_launch(self, configuration, template, policy)
    if configuration:
        self.ec2_launch_template = None
    elif template or policy:
        self.launch_config = self.launch_configuration_name = None


FakeAutoScalingGroup._set_launch_configuration = launch_from_one

create_without_hooks = AutoScalingResponse.create_auto_scaling_group


class AlreadyExists(AutoscalingClientError):
    code = "AlreadyExists"
    message = "AutoScalingGroup by this name already exists"


def create_auto_scaling_group(self):
    if self._get_param("AutoScalingGroupName") in self.autoscaling_backend.autoscaling_groups:
        raise AlreadyExists()
    result = create_without_hooks(self)
    for hook in self._get_param("LifecycleHookSpecificationList", []):
        self.autoscaling_backend.create_lifecycle_hook(
            name=hook.get("LifecycleHookName"),
            as_name=self._get_param("AutoScalingGroupName"),
            transition=hook.get("LifecycleTransition"),
            timeout=int(hook.get("HeartbeatTimeout") or 3600),
            result=hook.get("DefaultResult") or "ABANDON",
        )
    return result


AutoScalingResponse.create_auto_scaling_group = create_auto_scaling_group

create_any_listener = ELBv2Backend.create_listener
create_new_target_group = ELBv2Backend.create_target_group


def create_listener(self, load_balancer_arn, protocol, port, *rest, **named):
    asked = (str(protocol), str(port), repr(rest), repr(named))
    balancer = self.load_balancers.get(load_balancer_arn)
    for listener in balancer.listeners.values() if balancer else []:
        if str(listener.port) == str(port):
            if getattr(listener, "asked", None) == asked:
                return listener
            raise DuplicateListenerError()
    listener = create_any_listener(self, load_balancer_arn, protocol, port, *rest, **named)
    listener.asked = asked
    return listener


def create_target_group(self, name, **named):
    asked = repr(named)
    for group in self.target_groups.values():
        if group.name == name and getattr(group, "asked", None) == asked:
            return group
    group = create_new_target_group(self, name, **named)
    group.asked = asked
    return group


ELBv2Backend.create_listener = create_listener
ELBv2Backend.create_target_group = create_target_group


class Denied(AccessDeniedError):
    content_type = "text/xml"

    def __init__(self, service, user_arn, action):
        super().__init__(user_arn=user_arn, action=action)
        text = escape(f"User: {user_arn} is not authorized to perform: {action}")
        if service == "ec2":
            error = f"<Code>UnauthorizedOperation</Code><Message>{text}</Message>"
            self.body = f"<Response><Errors><Error>{error}</Error></Errors></Response>"
        else:
            error = f"<Type>Sender</Type><Code>AccessDenied</Code><Message>{text}</Message>"
            self.body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
        # Some services of moto take the one, and some the other.
        self.description = self.body

    def get_body(self, *args, **kwargs):
        return self.body


def raise_access_denied(self):
    raise Denied(self._service, self._access_key.arn, self._action)


def check_signature(self):
    # An unknown key has been refused by now, and no test signs with a wrong one.
    pass


IAMRequest._raise_access_denied = raise_access_denied
IAMRequest.check_signature = check_signature

one_at_a_time = threading.RLock()


def alone(change):
    def changed(self, *args, **named):
        with one_at_a_time:
            return change(self, *args, **named)

    return changed


S3Response.put_object = alone(S3Response.put_object)
S3Response.delete_object = alone(S3Response.delete_object)
