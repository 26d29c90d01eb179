"""Switches a load balancer to its other colour, as many a team does it by hand.

Run it with `bluegreen playground score --after deploy -- python switch.py`, and see what clients
saw of it. Everything is modified one by one: whoever stops it half way leaves half of the routes.

It reads AWS_ENDPOINT_URL (boto3 does), PLAYGROUND_LOAD_BALANCER and, if the idle colour listens
elsewhere than from port 18080 on, PLAYGROUND_IDLE_PORT.
"""

import os
import sys
import time

import boto3

SUFFIX = "-green"
IDLE_PORT = int(os.environ.get("PLAYGROUND_IDLE_PORT", "18080"))
PATIENCE = 60

elb = boto3.client("elbv2")


def partners(balancer):
    """The ARN of each target group of a load balancer, with that of its other colour."""
    groups = elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    arns = {group["TargetGroupName"]: group["TargetGroupArn"] for group in groups}
    found = {}
    for name, arn in arns.items():
        other = name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else name + SUFFIX
        if other in arns:
            found[arn] = arns[other]
    return found


def turned(actions, partners):
    """The actions with every target group replaced by that of the other colour."""
    def other(part):
        if "TargetGroupArn" not in part:
            return part
        return part | {"TargetGroupArn": partners[part["TargetGroupArn"]]}

    changed = []
    for action in map(other, actions):
        if "ForwardConfig" in action:
            groups = [other(group) for group in action["ForwardConfig"]["TargetGroups"]]
            action = action | {"ForwardConfig": action["ForwardConfig"] | {"TargetGroups": groups}}
        changed.append(action)
    return changed


def reached(actions):
    """The target groups that actions send requests to."""
    for action in actions:
        if action["Type"] == "forward":
            for group in action["ForwardConfig"]["TargetGroups"]:
                yield group["TargetGroupArn"]


def wait_until_healthy(group):
    end = time.monotonic() + PATIENCE
    while True:
        targets = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        states = [target["TargetHealth"]["State"] for target in targets]
        if states and all(state == "healthy" for state in states):
            return
        if time.monotonic() > end:
            sys.exit(f"{group} is not healthy: {states or 'it has no targets'}")
        time.sleep(1)


def main():
    name = os.environ["PLAYGROUND_LOAD_BALANCER"]
    balancer = elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"]
    others = partners(balancer)
    listeners = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    live = [listener for listener in listeners if listener["Port"] < IDLE_PORT]
    rules = [
        rule
        for listener in live
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        if not rule["IsDefault"] and any(action["Type"] == "forward" for action in rule["Actions"])
    ]

    routes = [listener["DefaultActions"] for listener in live] + [rule["Actions"] for rule in rules]
    targets = {others[arn] for actions in routes for arn in reached(actions)}
    for group in sorted(targets):
        wait_until_healthy(group)

    for listener in live:
        arn, actions = listener["ListenerArn"], turned(listener["DefaultActions"], others)
        elb.modify_listener(ListenerArn=arn, DefaultActions=actions)
        print(f"{name}:{listener['Port']} is switched")
    for rule in rules:
        elb.modify_rule(RuleArn=rule["RuleArn"], Actions=turned(rule["Actions"], others))
        print(f"rule {rule['Priority']} is switched")


main()
