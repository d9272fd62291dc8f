"""The journey from the store to dashboards: build beside, verify, switch, deliver."""

from hub.publish.journey import DeliveryReport, PublishOptions, PublishReport, current, publish

__all__ = ["DeliveryReport", "PublishOptions", "PublishReport", "current", "publish"]
