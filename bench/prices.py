"""`python -m bench prices`: AWS's list prices in us-east-1, in dollars, without the free tier; functions run on arm64.

Entered by hand, each with its source page and date. All cost figures are computed from these prices.
"""

from typing import Self

ENTERED = "2026-11-25"


class Price(float):
    """Dollars for one unit; the page gives the price of `per` units."""

    unit: str
    per: int
    page: str
    entered: str

    def __new__(
        cls, dollars: float, unit: str, page: str, *, per: int = 1, entered: str = ENTERED
    ) -> Self:
        price = super().__new__(cls, dollars / per)
        price.unit, price.per, price.page, price.entered = unit, per, page, entered
        return price


_MILLION = 1_000_000
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_S3 = "https://aws.amazon.com/s3/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_STATES = "https://aws.amazon.com/step-functions/pricing/"
_GATEWAY = "https://aws.amazon.com/api-gateway/pricing/"
_EVENTS = "https://aws.amazon.com/eventbridge/pricing/"
_XRAY = "https://aws.amazon.com/xray/pricing/"
_WAF = "https://aws.amazon.com/waf/pricing/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"

LAMBDA_GB_SECOND = Price(0.0000133334, "GB-second of a function, arm64", _LAMBDA)
LAMBDA_REQUEST = Price(0.20, "invocations of functions", _LAMBDA, per=_MILLION)
S3_WRITE = Price(0.005, "PUT, COPY, POST, LIST, each step of a multipart upload", _S3, per=1_000)
S3_READ = Price(0.0004, "GET, HEAD and all else; deletions are free", _S3, per=1_000)
S3_GB_MONTH = Price(0.023, "GB-month, S3 Standard", _S3)
DYNAMODB_WRITE_UNIT = Price(0.625, "write units, on demand", _DYNAMODB, per=_MILLION)
DYNAMODB_READ_UNIT = Price(0.125, "read units, on demand", _DYNAMODB, per=_MILLION)
STATE_TRANSITION = Price(0.025, "state transitions, Standard", _STATES, per=1_000)
EXPRESS_REQUEST = Price(1.00, "executions, Express", _STATES, per=_MILLION)
EXPRESS_GB_SECOND = Price(0.00001667, "GB-second of an execution, Express", _STATES)
API_REQUEST = Price(3.50, "calls of a REST API", _GATEWAY, per=_MILLION)
EVENT = Price(1.00, "custom events", _EVENTS, per=_MILLION, entered="2026-11-26")
LOGS_GB = Price(0.50, "GB of logs taken in", _CLOUDWATCH)
ALARM_MONTH = Price(0.10, "month of an alarm", _CLOUDWATCH)
METRIC_MONTH = Price(0.30, "month of a custom metric", _CLOUDWATCH)
DASHBOARD_MONTH = Price(3.00, "month of a dashboard", _CLOUDWATCH, entered="2026-11-30")
TRACE = Price(5.00, "traces recorded", _XRAY, per=_MILLION, entered="2026-11-30")
WAF_ACL_MONTH = Price(5.00, "month of a web ACL", _WAF, entered="2026-11-30")
WAF_RULE_MONTH = Price(1.00, "month of a rule in a web ACL", _WAF, entered="2026-11-30")
WAF_REQUEST = Price(
    0.60, "requests that a web ACL looks at", _WAF, per=_MILLION, entered="2026-11-30"
)

PRICES = tuple(price for price in list(globals().values()) if isinstance(price, Price))


def render_table() -> str:
    """The prices as a Markdown table."""
    rows = ["| dollars | for | page | entered |", "| ---: | --- | --- | --- |"]
    for price in PRICES:
        dollars = f"{price * price.per:.10f}".rstrip("0").ljust(4, "0")
        unit = f"{price.per:,} {price.unit}" if price.per > 1 else f"a {price.unit}"
        rows.append(f"| {dollars} | {unit} | <{price.page}> | {price.entered} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(render_table())
