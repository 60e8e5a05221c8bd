"""Whether what is spent once comes back: payback and net present value."""

from __future__ import annotations

__all__ = ["net_present_value", "payback_years"]


def payback_years(spend: float, saving: float) -> float | None:
    r"""Years until yearly savings have paid for what is spent once, without interest.

    .. math:: T = K / S

    Parameters
    ----------
    spend
        One-off spend K, undivided: opening and closing costs paid, less those of what is compared against.
    saving
        Yearly saving S before the yearly share of one-off costs.

    Returns
    -------
    float or None
        Years; 0 where nothing has to be spent; None where savings never pay for it.
    """
    if spend <= 0 and saving >= 0:
        return 0.0
    return spend / saving if saving > 0 else None


def net_present_value(spend: float, saving: float, rate: float, years: float) -> float:
    r"""Worth today of spending once and saving every year, each year's saving counted at its end.

    .. math:: \mathrm{NPV} = -K + S\,\frac{1 - (1 + r)^{-H}}{r}, \qquad r = 0:\; -K + S H

    Parameters
    ----------
    spend, saving
        As in `payback_years`.
    rate
        Discount rate r (setting ``discount_rate``), per year.
    years
        Horizon H (setting ``horizon_years``), years.
    """
    factor = years if rate == 0 else (1.0 - (1.0 + rate) ** -years) / rate
    return saving * factor - spend
