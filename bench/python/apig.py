"""Huawei Cloud's own SDK: the small call and the list of APIG, signed by key and secret."""

from driver import main
from huaweicloudsdkapig.v2 import ApigClient, ListAppsV2Request, ShowDetailsOfAppV2Request
from huaweicloudsdkcore.auth.credentials import BasicCredentials

GATEWAY = "eddc4d25480b4cd6b512f270a1b8b341"


def connect(address):
    credentials = BasicCredentials("testid", "testsecret", "73d69ae0cfcf460190522d06b6098c12")
    return ApigClient.new_builder().with_credentials(credentials).with_endpoint(f"http://{address}").build()


def call(client):
    wanted = ShowDetailsOfAppV2Request(instance_id=GATEWAY, app_id="98df09fb-d459-4cbf-83a7-2b55ca6f1234")
    assert client.show_details_of_app_v2(wanted).name


def find(client):
    return client.list_apps_v2(ListAppsV2Request(instance_id=GATEWAY)).apps


main(connect, call, find)
