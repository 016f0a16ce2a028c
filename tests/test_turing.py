"""The stack-machine nets against plain Python: on every word up to a length, and on drawn machines."""

from fractions import Fraction
from itertools import islice, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import turing
from companion.turing import BRACKETS, INCREMENT, PALINDROMES

NETS = {m.alphabet: turing.compile_net(m) for m in (BRACKETS, INCREMENT, PALINDROMES)}
BITS = st.text("01", max_size=40)


def words(alphabet, longest):
    return (("".join(letters)) for n in range(longest + 1) for letters in product(alphabet, repeat=n))


def balanced(word):
    while (shorter := word.replace("()", "").replace("[]", "")) != word:
        word = shorter
    return word == ""


def plus_one(bits):
    return format(int("0" + bits, 2) + 1, f"0{len(bits)}b")


def test_bracket_net_agrees_with_python_on_every_word_up_to_five_letters():
    for word in words("()[]", 5):
        assert turing.run_net(NETS["()[]"], word).accepted is balanced(word), word


def test_increment_net_agrees_with_python_on_every_word_up_to_seven_bits():
    for word in words("01", 7):
        out = turing.run_net(NETS["01"], word)
        assert out.accepted and out.stacks == ("", plus_one(word)), word


def test_palindrome_net_agrees_with_python_on_every_word_up_to_six_letters():
    for word in words("ab", 6):
        assert turing.run_net(NETS["ab"], word).accepted is (word == word[::-1]), word


def test_rounded_palindrome_net_agrees_with_python_on_every_word_up_to_nine_letters():
    net = turing.in_floats(NETS["ab"])
    for word in words("ab", 9):
        assert turing.run_net(net, word).accepted is (word == word[::-1]), word


@pytest.mark.parametrize("m", [BRACKETS, INCREMENT, PALINDROMES], ids=["brackets", "increment", "palindromes"])
def test_net_and_plain_machine_agree_on_answer_stacks_and_steps(m):
    for word in words(m.alphabet, 4):
        assert turing.run_net(NETS[m.alphabet], word) == turing.simulate(m, word), word


@st.composite
def machines(draw):
    """Any deterministic machine over the letters x and y: a drawn rule, or none, for each drawn situation."""
    rules = []
    for state in ("p", "q"):
        looks = [draw(st.booleans()) for _ in range(3)]
        for seen in product(
            *(options if look else ["*"] for look, options in zip(looks, ["xy$", "01e", "01e"], strict=True))
        ):
            if draw(st.booleans()):
                ops = [draw(st.sampled_from(list(turing.OPERATIONS))) for _ in range(2)]
                rules.append(" ".join([state, *seen, "->", draw(st.sampled_from(["p", "q", "yes"])), *ops]))
    return turing.machine("xy", "\n".join([*rules, "r * * * -> yes keep keep"]))


def test_machine_and_net_know_the_same_operations():
    assert tuple(turing.OPERATIONS) == turing.machines.ACTIONS


@settings(max_examples=20)
@given(machines(), st.text("xy", max_size=6))
def test_any_drawn_machine_and_its_net_do_the_same(m, word):
    assert turing.run_net(turing.compile_net(m), word, limit=25) == turing.simulate(m, word, limit=25)


@pytest.mark.parametrize("m", [BRACKETS, INCREMENT, PALINDROMES], ids=["brackets", "increment", "palindromes"])
def test_units_number_rules_plus_twice_the_states_plus_eighteen_and_all_weights_are_exact(m):
    net = turing.compile_net(m)
    n = len(m.rules) + 2 * len(m.states) + 18
    assert len(net.units) == len(set(net.units)) == n < 60
    assert net.W.shape == (n, n) and net.U.shape == (n, len(m.alphabet) + 1) and net.b.shape == net.h0.shape == (n,)
    for part in (net.W, net.U, net.b, net.h0):
        assert all(isinstance(entry, int | Fraction) for entry in part.flat)
    assert {*net.W.flat} <= {-2, -1, 0, Fraction(1, 4), 1, 4} and max(net.b) <= 0


def test_one_pulse_goes_round_the_three_layers():
    layers = [
        {name.split(".")[0] for name, unit in zip(NETS["01"].units, h, strict=True) if unit}
        for h in islice(turing.net_states(NETS["01"], "1011"), 30)
    ]
    assert layers == [{"read"}, {"rule"}, {"write"}] * 10


def test_states_stay_exact_fractions_between_zero_and_one():
    net = turing.compile_net(BRACKETS)
    *_, h = islice(turing.net_states(net, "([" * 30), 181)
    assert all(isinstance(unit, int | Fraction) and 0 <= unit <= 1 for unit in h)
    assert h[net.units.index("read.stack1")] == turing.encode_stack("10" * 30)


@given(BITS)
def test_decoding_a_stack_undoes_encoding_it(bits):
    q = turing.encode_stack(bits)
    assert turing.decode_stack(q) == bits
    assert 0 <= q < 1 and q.denominator == (4 ** len(bits) if bits else 1)


@given(BITS)
def test_a_stack_is_a_fraction_whose_base_4_digits_are_its_bits(bits):
    digits = bits.replace("1", "3").replace("0", "1")
    assert turing.encode_stack(bits) == Fraction(int("0" + digits, 4), 4 ** len(bits))


@given(BITS, st.sampled_from("01"))
def test_operations_on_the_number_are_operations_on_the_stack(bits, bit):
    def apply(op, q):
        slope, weight, shift = turing.OPERATIONS[op]
        return turing.saturate(slope * q + weight * turing.saturate(4 * q - 2) + shift)

    q = turing.encode_stack(bits)
    assert apply("push" + bit, q) == turing.encode_stack(bit + bits)
    assert apply("pop", q) == turing.encode_stack(bits[1:])
    assert apply("keep", q) == q
    assert turing.saturate(4 * q - 2) == (bits[:1] == "1")
    assert turing.saturate(4 * q) == (bits != "")


@pytest.mark.parametrize(("dtype", "depth"), [(np.float16, 5), (np.float32, 11), (np.float64, 26)])
def test_floating_point_keeps_half_as_many_symbols_as_it_has_fraction_bits(dtype, depth):
    assert depth == np.finfo(dtype).nmant // 2
    net, rng = turing.in_floats(NETS["()[]"], dtype), np.random.default_rng(0)
    for _ in range(20):
        opening = "".join(rng.choice(["(", "["], size=depth))
        closing = opening[::-1].translate(str.maketrans("([", ")]"))
        assert turing.run_net(net, opening + closing).accepted
    for bracket in ("()", "[]"):
        word = bracket[0] * (depth + 1) + bracket[1] * (depth + 1)
        assert turing.run_net(NETS["()[]"], word).accepted
        assert not turing.run_net(net, word, limit=200).accepted


def test_depth_not_length_is_what_floating_point_loses():
    assert turing.run_net(turing.in_floats(NETS["()[]"], np.float32), "([])[]" * 200).accepted


def test_a_machine_that_never_stops_is_stopped_by_the_limit():
    m = turing.machine("a", "on * * * -> on push1 keep \n off * * * -> yes keep keep")
    out = turing.run_net(turing.compile_net(m), "aa", limit=7)
    assert out == turing.simulate(m, "aa", limit=7) == turing.Outcome(None, ("1111111", ""), 7)


@given(st.text("()[]", max_size=5), st.text("()[]", max_size=5), st.characters(exclude_characters="()[]"))
def test_an_unknown_letter_is_named_with_its_place(before, after, letter):
    for run in (lambda word: turing.run_net(NETS["()[]"], word), lambda word: turing.simulate(BRACKETS, word)):
        with pytest.raises(ValueError, match="word: want letters of") as caught:
            run(before + letter + after)
        assert repr(letter) in str(caught.value) and f"place {len(before)}" in str(caught.value)


@pytest.mark.parametrize("word", [None, 3, ["(", ")"], float("nan")])
def test_a_word_that_is_no_string_is_refused(word):
    with pytest.raises(ValueError, match="word"):
        turing.run_net(NETS["()[]"], word)
    with pytest.raises(ValueError, match="word"):
        turing.simulate(BRACKETS, word)
    with pytest.raises(ValueError, match="word"):
        turing.encode_word(NETS["()[]"], word)


@pytest.mark.parametrize("limit", [0, -1, 2.5, None])
def test_a_limit_that_is_no_positive_integer_is_refused(limit):
    with pytest.raises(ValueError, match="limit"):
        turing.run_net(NETS["()[]"], "()", limit)
    with pytest.raises(ValueError, match="limit"):
        turing.simulate(BRACKETS, "()", limit)


@pytest.mark.parametrize("alphabet", ["", "aa", "a$", "a*", None, 7])
def test_a_bad_alphabet_is_refused(alphabet):
    with pytest.raises(ValueError, match="alphabet"):
        turing.machine(alphabet, "p * * * -> yes keep keep")


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("", "table"),
        ("p * * * -> p keep keep", "yes"),
        ("p * * -> yes keep keep", "table"),
        ("p b * * -> yes keep keep", "symbol"),
        ("p * 2 * -> yes keep keep", "top"),
        ("p * * * -> yes keep push", "operation"),
        ("p a * * -> yes keep keep \n p * 1 * -> p keep keep", "two"),
    ],
)
def test_a_bad_table_is_refused_and_its_fault_is_named(table, named):
    with pytest.raises(ValueError, match=named):
        turing.machine("a", table)


@pytest.mark.parametrize("q", [float("nan"), 1, -0.25, 0.5, 2, Fraction(1, 3), None, "1", Fraction(5, 32)])
def test_a_number_that_encodes_no_stack_is_refused(q):
    with pytest.raises(ValueError, match="q"):
        turing.decode_stack(q)


@pytest.mark.parametrize("bits", ["2", "0a", None, 1])
def test_a_stack_of_other_things_than_bits_is_refused(bits):
    with pytest.raises(ValueError, match="bits"):
        turing.encode_stack(bits)


@pytest.mark.parametrize("other", [None, "()[]", 3, turing.BRACKETS.rules])
def test_what_is_no_machine_or_no_net_is_refused(other):
    for call in (lambda: turing.compile_net(other), lambda: turing.simulate(other, "")):
        with pytest.raises(ValueError, match="m: want the parameters as StackMachine"):
            call()
    for call in (turing.in_floats, lambda net: turing.run_net(net, ""), lambda net: turing.encode_word(net, "")):
        with pytest.raises(ValueError, match="net: want the parameters as SaturatedNet"):
            call(other)
    with pytest.raises(ValueError, match="net: want the parameters as SaturatedNet"):
        next(turing.net_states(other, ""))


@pytest.mark.parametrize("dtype", [int, "float64", None, np.int64])
def test_rounding_to_anything_but_floating_point_is_refused(dtype):
    with pytest.raises(ValueError, match="dtype"):
        turing.in_floats(NETS["()[]"], dtype)


@pytest.mark.parametrize("a", [None, "x", "3", ["3"], 1j, np.array([1j]), float("nan"), [0.5, float("inf")]])
def test_the_activation_refuses_what_is_not_finite_numbers(a):
    with pytest.raises(ValueError, match="a: want"):
        turing.saturate(a)


@given(st.fractions(-3, 3))
def test_the_activation_is_exact_and_clamps_to_the_unit_interval(a):
    assert turing.saturate(a) == (0 if a < 0 else 1 if a > 1 else a)
