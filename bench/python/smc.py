"""Alibaba Cloud's own SDK: the small call and the list of SMC, signed by V3."""

from alibabacloud_smc20190601 import models
from alibabacloud_smc20190601.client import Client
from alibabacloud_tea_openapi.models import Config
from driver import main


def connect(address):
    return Client(Config(access_key_id="testid", access_key_secret="testsecret", endpoint=address,
                         protocol="http", region_id="cn-shanghai"))


def call(client):
    wanted = models.CreateAccessTokenRequest(name="web-servers", description="a rack of servers",
                                             count="10", time_to_live_in_days="30")
    assert client.create_access_token(wanted).body.access_token_id


def find(client):
    return client.list_access_tokens(models.ListAccessTokensRequest()).body.access_tokens.access_token


main(connect, call, find)
