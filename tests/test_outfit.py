"""Outfits: complete, warm enough, in season, in budget, harmonious, explained, the same twice."""

import time

import numpy as np
import pytest
from fakes import garment, wardrobe

from catalog.errors import BadValue, UnknownName
from catalog.garment import CATEGORIES
from catalog.starter import starter_garments
from tools.harmony import harmony, loudness
from tools.outfit import OCCASIONS, Piece, Wish, check, choose, describe
from tools.warmth import ensemble_clo, least_clo, most_clo, needed_clo, season_at, veto

WARDROBE = wardrobe()
WINTER, SUMMER = {"winter": 1.0}, {"summer": 1.0}


def pieces(outfit):
    return [c.garment for c in outfit.garments]


def slots(outfit):
    return {g.slot for g in pieces(outfit)}


@pytest.mark.parametrize("occasion", sorted(OCCASIONS))
@pytest.mark.parametrize("season", ["winter", "summer", "spring-autumn"])
@pytest.mark.parametrize("who", ["women", "men"])
def test_every_occasion_in_every_season_gets_an_outfit_that_passes_the_checker(
    occasion, season, who
):
    wish = Wish(occasion=occasion, season={season: 1.0}, who=who)
    outfit = choose(wish, WARDROBE)
    assert outfit.complete and outfit.price_total > 0
    assert not [v for v in check(pieces(outfit), wish) if v.hard]
    assert all(c.why for c in outfit.garments)
    assert len({g.slot for g in pieces(outfit)}) == len(outfit.garments)


def test_the_same_wish_gives_the_same_outfit_also_from_a_shuffled_catalog():
    wish = Wish(text="hello", occasion="date", season=WINTER)
    first = choose(wish, WARDROBE)
    assert choose(wish, WARDROBE) == first
    assert set(choose(wish, WARDROBE[::-1]).ids) == set(first.ids)


def test_winter_is_dressed_warmly_and_summer_lightly():
    winter = choose(Wish(season=WINTER, occasion="commute"), WARDROBE)
    summer = choose(Wish(season=SUMMER, occasion="commute"), WARDROBE)
    assert "outerwear" in slots(winter) and "outerwear" not in slots(summer)
    assert winter.clo_total > 1.2 > 0.7 > summer.clo_total


def test_sandals_in_snow_and_shorts_in_frost_are_refused_and_said():
    asked = (Piece(categories=("sandals",)), Piece(categories=("shorts",)))
    outfit = choose(Wish(weather=("snow",), temperature_c=-5, want=asked), WARDROBE)
    worn = {g.category for g in pieces(outfit)}
    assert not worn & {"sandals", "shorts"} and outfit.complete
    assert any("sandals" in u for u in outfit.unmet) and any("shorts" in u for u in outfit.unmet)


def test_avoided_things_never_appear():
    wish = Wish(
        occasion="formal",
        who="women",
        avoid=(Piece(categories=("heels",)), Piece(colors=("black",))),
    )
    outfit = choose(wish, WARDROBE)
    assert outfit.complete
    assert all(g.category != "heels" and g.color != "black" for g in pieces(outfit))


def test_the_budget_holds_and_an_impossible_one_is_said():
    outfit = choose(Wish(occasion="work", season=SUMMER, budget=180, who="men"), WARDROBE)
    assert outfit.complete and outfit.price_total <= 180 and not outfit.unmet
    poor = choose(Wish(occasion="work", budget=5), WARDROBE)
    assert poor.complete and any("at most 5" in u for u in poor.unmet)


@pytest.mark.parametrize("celsius", [-6, 12, 29])
@pytest.mark.parametrize("who", ["women", "men"])
def test_what_is_called_the_cheapest_is_so_by_counting_all(celsius, who):
    wish = Wish(temperature_c=celsius, who=who, cheapest=True)
    outfit = choose(wish, WARDROBE)
    assert outfit.complete and outfit.cheapest and not check(pieces(outfit), wish)
    single = ("wearer", "weather", "season", "unavailable")
    by_slot: dict[str, list] = {}
    for g in WARDROBE:
        if not any(v.hard and v.kind in single for v in check([g], wish)):
            by_slot.setdefault(g.slot, []).append((g.price, g.clo))
    sums = {(0.0, 0.0)}
    for slot in ("footwear", "outerwear", "neckwear", "headwear"):
        options = [*by_slot.get(slot, []), *([(0.0, 0.0)] if slot != "footwear" else [])]
        sums = {(round(p + q, 2), round(c + d, 3)) for p, c in sums for q, d in options}
    body = {(p + q, c + d) for p, c in by_slot["top"] for q, d in by_slot["bottom"]}
    body |= set(by_slot.get("onepiece", []))
    most = most_clo(celsius) if celsius >= 20 else 99
    lowest = min(
        p + q
        for p, c in sums
        for q, d in body
        if least_clo(celsius) <= 0.161 + 0.835 * (c + d) <= most
    )
    assert outfit.price_total == pytest.approx(lowest)


def test_the_cheapest_is_not_claimed_when_pieces_stay_or_are_missing():
    first = choose(Wish(occasion="work"), WARDROBE)
    stays = choose(Wish(occasion="work", cheapest=True, stay=first.ids[1:]), WARDROBE)
    assert not stays.cheapest and "cheapest" not in stays.facts()
    gone = Wish(cheapest=True, want=(Piece(categories=("sandals",)),), temperature_c=-5)
    assert not choose(gone, WARDROBE).cheapest


def test_wanted_pieces_are_worn_and_the_rest_is_named():
    wish = Wish(
        season=WINTER,
        want=(
            Piece(categories=("sweater",), colors=("red",)),
            Piece(categories=("coat",), colors=("turquoise",)),
            Piece(categories=("fedora",)),
        ),
    )
    outfit = choose(wish, WARDROBE)
    assert "sweater-red" in outfit.ids
    assert any(g.category == "coat" for g in pieces(outfit)), "the nearest coat"
    assert any("turquoise coat" in u for u in outfit.unmet)
    assert any("fedora" in u for u in outfit.unmet)


def test_a_dress_replaces_top_and_bottom_and_both_cannot_be_had():
    dress = Piece(categories=("midi dress",), said="dress")
    outfit = choose(Wish(who="women", season=SUMMER, want=(dress,)), WARDROBE)
    assert "onepiece" in slots(outfit) and not slots(outfit) & {"top", "bottom"}
    both = Wish(who="women", season=SUMMER, want=(dress, Piece(categories=("jeans",))))
    outfit = choose(both, WARDROBE)
    assert slots(outfit) & {"bottom"} and outfit.unmet


def test_kept_garments_stay_and_excluded_ones_go():
    wish = Wish(season=WINTER, keep=("boots-brown", "turtle-mustard"), exclude=("puffer-blue",))
    outfit = choose(wish, WARDROBE)
    assert {"boots-brown", "turtle-mustard"} <= set(outfit.ids)
    assert "puffer-blue" not in outfit.ids


def test_what_is_sold_out_is_never_chosen():
    outfit = choose(Wish(season=WINTER, keep=("coat-soldout",)), WARDROBE)
    assert "coat-soldout" not in outfit.ids
    assert any("not available" in u for u in outfit.unmet)


def test_runners_up_are_complete_and_differ_in_two_pieces_of_clothing():
    outfit = choose(Wish(season=WINTER, occasion="commute"), WARDROBE)
    by_id = {g.id: g for g in WARDROBE}
    assert outfit.runners_up
    for other in outfit.runners_up:
        assert not [v for v in check([by_id[i] for i in other], Wish(season=WINTER)) if v.hard]
        assert len(set(other) ^ set(outfit.ids)) >= 4


def test_everything_unsaid_is_an_assumption():
    said = choose(Wish(occasion="work", season=WINTER, temperature_c=1), WARDROBE)
    assert not said.assumptions
    guessed = choose(Wish(), WARDROBE)
    assert len(guessed.assumptions) == 3 and sum(guessed.season.values()) == pytest.approx(1)


def test_contradictions_are_dressed_by_the_temperature_and_said():
    outfit = choose(Wish(season=SUMMER, temperature_c=-10), WARDROBE)
    assert outfit.complete and outfit.clo_total > 1
    assert any("unusual" in a for a in outfit.assumptions)


def test_an_empty_catalog_and_one_without_shoes_are_said_not_raised():
    empty = choose(Wish(), [])
    assert not empty.garments and not empty.complete and empty.unmet
    barefoot = choose(Wish(), [g for g in WARDROBE if g.slot != "footwear"])
    assert not barefoot.complete and any("feet" in u for u in barefoot.unmet)


def test_the_checker_finds_what_is_wrong_with_any_set_of_garments():
    by_id = {g.id: g for g in WARDROBE}

    def kinds(ids, **wish):
        return {v.kind for v in check([by_id[i] for i in ids], Wish(**wish)) if v.hard}

    assert kinds(["shirt-white"], season=SUMMER) == {"incomplete"}
    assert "conflict" in kinds(["dress-maxi", "jeans-blue", "sandals-tan"], season=SUMMER)
    assert "conflict" in kinds(["boots-brown", "boots-black", "jeans-blue", "hoodie-grey"])
    beach = ["tank-coral", "shorts-white", "sandals-tan"]
    assert {"weather", "season", "warmth"} <= kinds(beach, season=WINTER)
    assert not kinds(beach, season=SUMMER, occasion="beach")
    assert "unavailable" in kinds([*beach, "coat-soldout"], season=SUMMER)
    assert "wearer" in kinds(["dress-maxi", "sandals-tan"], season=SUMMER, who="men")
    assert "budget" in kinds(beach, season=SUMMER, budget=10)
    assert "avoided" in kinds(beach, season=SUMMER, avoid=(Piece(colors=("white",)),))


def test_describe_tells_of_given_garments_without_changing_them():
    by_id = {g.id: g for g in WARDROBE}
    outfit = describe([by_id[i] for i in ("sneakers-white", "tee-white", "jeans-blue")], Wish())
    assert outfit.ids == ("tee-white", "jeans-blue", "sneakers-white") and outfit.complete
    assert outfit.price_total == 15 + 79 + 79


def test_unknown_words_name_the_nearest_and_bad_weights_are_refused():
    with pytest.raises(UnknownName, match="sweater"):
        Piece(categories=("swetter",))
    with pytest.raises(UnknownName, match="party"):
        Wish(occasion="partie")
    with pytest.raises(BadValue):
        Wish(season={"winter": 0.0})
    for bad in (float("nan"), float("inf"), -1):
        with pytest.raises(ValueError):
            Wish(budget=bad)


def test_half_seasons_take_the_temperature_between():
    outfit = choose(Wish(season={"spring-autumn": 0.5, "winter": 0.5}), WARDROBE)
    assert outfit.temperature_c == pytest.approx(8)
    assert outfit.season == {"spring-autumn": 0.5, "winter": 0.5}


# ---- warmth and colour -----------------------------------------------------------------------


def test_the_warmth_table_is_what_the_library_computes():
    from pythermalcomfort.clothing import clo_intrinsic_insulation_ensemble
    from pythermalcomfort.models import clo_tout, pmv_ppd_iso

    from tools.warmth import _COMFORT, _T, _USUAL

    clo = np.linspace(0, 4, 401)
    for met, rows in _COMFORT.items():
        for goal, row in zip((-0.5, 0.5), rows, strict=True):
            for t, kept in zip(_T, row, strict=True):
                pmv = pmv_ppd_iso(
                    tdb=float(t), tr=float(t), vr=0.4, rh=50, met=met, clo=clo,
                    limit_inputs=False, round_output=False,
                ).pmv  # fmt: skip
                reached = np.asarray(pmv) >= goal
                value = clo[np.argmax(reached)] if reached.any() else 4.0
                assert kept == pytest.approx(value, abs=0.011)
    assert [clo_tout(tout=float(t)).clo_tout for t in _T] == pytest.approx(_USUAL, abs=0.011)
    worn = [0.25, 0.24, 0.04, 0.6]
    assert ensemble_clo(worn) == pytest.approx(clo_intrinsic_insulation_ensemble(worn), abs=1e-3)


def test_colder_weather_asks_for_more_clothes():
    needs = [needed_clo(t)[0] for t in range(-20, 35, 5)]
    assert needs == sorted(needs, reverse=True) and needs[-1] <= 0.3
    assert least_clo(-5) > least_clo(5) > least_clo(20) == 0
    assert needed_clo(5, shift=0.3)[0] > needed_clo(5)[0] > needed_clo(5, met=3.4)[0]


def test_season_weights_at_any_temperature_sum_to_one():
    for t in range(-30, 45):
        assert sum(season_at(t).values()) == pytest.approx(1, abs=0.01)
    assert season_at(0) == WINTER and season_at(30) == SUMMER


def test_vetoes_know_cold_heat_snow_and_rain():
    assert veto("sandals", "leather", 2, ()) and veto("puffer jacket", "quilted", 28, ())
    assert veto("heels", "leather", 1, ("snow",)) and veto("boots", "suede", 12, ("rain",))
    assert not any(veto("trousers", "wool", t, ("rain", "snow")) for t in range(-20, 35))
    assert all(isinstance(veto(c, "cotton", 14, ()), str) for c in CATEGORIES)


def test_neutrals_go_with_everything_and_clashes_score_lower():
    red, green, navy = np.array([45, 65, 45]), np.array([50, -50, 35]), np.array([18, 5, -25])
    grey, pink = np.array([60, 0, 0]), np.array([60, 60, -10])
    assert harmony(red, grey) > harmony(red, green)
    assert harmony(navy, grey) > 0.7 > harmony(pink, green)
    assert harmony(red, green) == pytest.approx(harmony(green, red))


def test_no_more_than_two_bold_patterns():
    loud = [
        garment(f"loud-{i}", c, "red", 0.2, 0.4, ("spring-autumn",), pattern=p)
        for i, (c, p) in enumerate(
            [("shirt", "leopard"), ("trousers", "plaid"), ("blazer", "floral"),
             ("sneakers", "camouflage")]
        )
    ]  # fmt: skip
    outfit = choose(Wish(temperature_c=12), WARDROBE + loud)
    assert sum(loudness(g.pattern) >= 0.7 for g in pieces(outfit)) <= 2


def test_a_hundred_thousand_garments_are_searched_quickly():
    rng = np.random.default_rng(0)
    many = [
        g.model_copy(update={"id": f"{g.id}-{i}", "price": float(p)})
        for i, (g, p) in enumerate(
            zip(
                (WARDROBE[j] for j in rng.integers(len(WARDROBE), size=100_000)),
                rng.uniform(10, 200, 100_000),
                strict=True,
            )
        )
    ]
    wish = Wish(season=WINTER, occasion="commute", want=(Piece(colors=("red",)),), budget=500)
    choose(wish, many)
    spent = []
    for _ in range(3):
        began = time.process_time()
        outfit = choose(wish, many)
        spent.append(time.process_time() - began)
    assert outfit.complete and outfit.price_total <= 500
    assert min(spent) < 0.3, "150 ms on a free core"


def test_a_reason_names_the_piece_that_the_wish_put_there():
    red = Piece(colors=("red", "burgundy"), said="something red")
    outfit = choose(Wish(season={"winter": 1.0}, occasion="commute", want=(red,)), wardrobe())
    told = [c.id for c in outfit.garments if "you asked for something red" in c.why]
    assert len(told) == 1
    garments = [c.garment for c in outfit.garments]
    again = describe(garments, Wish(season={"winter": 1.0}, occasion="commute", want=(red,)))
    assert len([c for c in again.garments if "you asked for" in c.why]) == 1


def test_what_stays_gives_way_to_the_budget_and_what_is_kept_does_not():
    base = Wish(season={"winter": 1.0}, occasion="commute", text="x")
    dear = choose(base, wardrobe())
    budget = round(dear.price_total * 0.6, 2)
    held = choose(base.model_copy(update={"keep": dear.ids, "budget": budget}), wardrobe())
    assert any("nothing complete costs at most" in u for u in held.unmet)
    free = choose(base.model_copy(update={"stay": dear.ids, "budget": budget}), wardrobe())
    assert free.price_total <= budget and free.complete
    assert f"to stay within {budget:g}, more had to change" in free.unmet
    same = choose(base.model_copy(update={"stay": dear.ids}), wardrobe())
    assert same.ids == dear.ids and all("stays from before" in c.why for c in same.garments)


def test_bare_slots_stay_empty_unless_the_weather_needs_them():
    mild = Wish(temperature_c=15, occasion="commute", text="x", bare=("bag", "outerwear"))
    assert not {"bag", "outerwear"} & {c.garment.slot for c in choose(mild, wardrobe()).garments}
    frost = mild.model_copy(update={"temperature_c": -5})
    assert "outerwear" in {c.garment.slot for c in choose(frost, wardrobe()).garments}


def test_bare_arms_in_frost_say_why():
    arms = Piece(sleeves=("none",), said="something sleeveless")
    outfit = choose(Wish(temperature_c=-10, layers=-1, like=(arms,)), wardrobe())
    assert "something sleeveless: too cold for that at -10 °C" in outfit.unmet
    assert "no layers: too cold for that at -10 °C" in outfit.unmet


def test_what_stays_too_light_for_frost_is_said_aloud():
    blazer = Piece(categories=("blazer",))
    frost = choose(Wish(temperature_c=-12, who="women", want=(blazer,)), WARDROBE)
    assert any("cool side" in u for u in frost.unmet)
    free = choose(Wish(temperature_c=-12, who="women", occasion="work"), WARDROBE)
    assert free.clo_total > frost.clo_total
    mild = choose(Wish(temperature_c=12, who="women", want=(blazer,)), WARDROBE)
    assert not any("cool side" in u for u in mild.unmet)


def test_all_in_one_colour_sends_clothes_of_others_away():
    wish = Wish(season={"spring-autumn": 1.0}, who="women", stay=("trench-beige", "sweater-red"),
                want=(Piece(colors=("black",), everywhere=True),))  # fmt: skip
    worn = pieces(choose(wish, WARDROBE))
    clothes = [g for g in worn if g.slot in ("top", "bottom", "onepiece", "outerwear")]
    assert clothes and {g.color for g in clothes} == {"black"}


def test_what_money_leaves_out_in_the_cold_is_the_coat_and_not_all_that_warms():
    wish = Wish(occasion="outdoors", temperature_c=0.0, budget=230)
    outfit = choose(wish, starter_garments())
    assert outfit.complete and outfit.price_total <= 230
    assert not any(c.garment.slot == "outerwear" for c in outfit.garments)
    assert "a coat as well does not fit into 230" in outfit.unmet
    assert not any(u.startswith("nothing complete") for u in outfit.unmet)


def either(*pieces):
    return tuple(p.model_copy(update={"choice": 1}) for p in pieces)


SKIRT = Piece(categories=("pencil skirt",), colors=("black",), said="black skirt")
TROUSERS = Piece(categories=("trousers",), colors=("grey", "charcoal"), said="grey trousers")
PURPLE = Piece(categories=("trousers",), colors=("purple",), said="purple trousers")


def test_of_alternatives_one_is_worn_and_which_one_is_said():
    wish = Wish(occasion="work", who="women", want=either(SKIRT, TROUSERS))
    outfit = choose(wish, wardrobe())
    assert sum(p.matches(c.garment) for c in outfit.garments for p in (SKIRT, TROUSERS)) == 1
    assert not outfit.unmet
    assert outfit.assumptions[0] in (
        "I took the black skirt, and the grey trousers would do as well",
        "I took the grey trousers, and the black skirt would do as well",
    )
    assert not [v for v in check([c.garment for c in outfit.garments], wish) if v.kind == "missing"]


def test_an_alternative_that_cannot_be_had_is_not_taken_and_why_is_said():
    for want in (either(PURPLE, SKIRT), either(SKIRT, PURPLE)):
        outfit = choose(Wish(occasion="work", who="women", want=want), wardrobe())
        assert any(SKIRT.matches(c.garment) for c in outfit.garments) and not outfit.unmet
        assert outfit.assumptions[0] == (
            "I took the black skirt, not the purple trousers: there is none in the catalog"
        )


def test_both_of_two_alternatives_may_come_and_then_nothing_is_left_to_say():
    hat = Piece(categories=("beanie",), said="beanie")
    scarf = Piece(categories=("scarf",), said="scarf")
    outfit = choose(Wish(temperature_c=-8, want=either(hat, scarf)), wardrobe())
    assert {"headwear", "neckwear"} <= set(slots(outfit))
    assert not any(a.startswith("I took the") for a in outfit.assumptions)


def test_nothing_sleeveless_leaves_shoes_and_trousers():
    bare = Piece(sleeves=("none",), said="something sleeveless")
    outfit = choose(Wish(occasion="party", who="women", avoid=(bare,)), wardrobe())
    assert outfit.complete and not outfit.unmet
    assert all(c.garment.shape.sleeves != "none" for c in outfit.garments
               if c.garment.slot in ("top", "onepiece", "outerwear"))  # fmt: skip
