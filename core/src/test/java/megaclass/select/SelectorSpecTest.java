// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import megaclass.select.SelectorSpec.All;
import megaclass.select.SelectorSpec.ExactTop;
import megaclass.select.SelectorSpec.Uniform;
import megaclass.select.SelectorSpec.WithGroups;
import megaclass.select.SelectorSpec.WithTail;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class SelectorSpecTest {
  private static final String FORMS =
      """
      ; expected one of
        all
        uniform(RATE, corrected=false)                                         e.g. uniform(0.1)
        exactTop(NUM_ACTIVE)                                                   e.g. exactTop(4096)
        ivf(RATE, numLists=0, numProbes=0, numCandidates=0, repairEvery=1000)  e.g. ivf(0.01)
        ... + tail(SHARE)                                                      e.g. exactTop(4096) + tail(0.1)
        ... + groups(NUM_GROUPS)                                               e.g. ivf(0.01) + groups(8)\
      """;

  private static final String GROUPS =
      """
      ; expected
        ... + groups(NUM_GROUPS)  e.g. ivf(0.01) + groups(8)\
      """;

  private static final String TAIL =
      """
      ; expected
        ... + tail(SHARE)  e.g. exactTop(4096) + tail(0.1)\
      """;

  @Property
  void everySelectorReadsBackFromItsText(@ForAll("selectors") SelectorSpec spec) {
    assertEquals(spec, SelectorSpec.parse(spec.toString()));
  }

  @Provide
  Arbitrary<SelectorSpec> selectors() {
    var shares = Arbitraries.doubles().between(0.0, false, 1.0, true).ofScale(12);
    Arbitrary<SelectorSpec> top =
        Arbitraries.integers().between(1, 1_999_999_999).map(ExactTop::new);
    Arbitrary<SelectorSpec> uniform = shares.map(rate -> new Uniform(rate, false));
    Arbitrary<SelectorSpec> ungrouped =
        Arbitraries.oneOf(
            top,
            uniform,
            shares.map(rate -> new Uniform(rate, true)),
            Combinators.combine(Arbitraries.oneOf(top, uniform), shares).as(WithTail::new));
    var counts = Arbitraries.integers().between(1, 4096);
    return Arbitraries.oneOf(
        Arbitraries.of(new All()),
        ungrouped,
        Combinators.combine(ungrouped, counts).as(WithGroups::new));
  }

  @Test
  void textsAreCanonicalWithEveryParameter() {
    assertEquals("all", SelectorSpec.parse(" all ( ) ").toString());
    assertEquals("uniform(0.1, corrected=false)", SelectorSpec.parse("uniform(.10)").toString());
    assertEquals(
        "uniform(0.01, corrected=true)",
        SelectorSpec.parse("uniform(0.01, corrected=true)").toString());
    assertEquals(
        "exactTop(4096) + tail(0.1)", SelectorSpec.parse("exactTop(4096)+tail(0.1)").toString());
  }

  @Test
  void unknownSelectorsAreAnsweredWithTheForms() {
    assertMessage(
        "cannot read class selector \"unifrm(0.1)\": unknown name \"unifrm\" at character 1"
            + " (did you mean \"uniform\"?)"
            + FORMS,
        () -> SelectorSpec.parse("unifrm(0.1)"));
    assertMessage(
        "cannot read class selector \"lal\": unknown name \"lal\" at character 1"
            + " (did you mean \"all\"?)"
            + FORMS,
        () -> SelectorSpec.parse("lal"));
    assertMessage(
        "cannot read class selector \"tail(0.1)\": unknown name \"tail\" at character 1" + FORMS,
        () -> SelectorSpec.parse("tail(0.1)"));
    assertMessage(
        "cannot read class selector \"all + uniform(0.1)\": unknown addition \"uniform\""
            + " at character 7"
            + FORMS,
        () -> SelectorSpec.parse("all + uniform(0.1)"));
  }

  @Test
  void parametersOutsideTheirRangeAreNamed() {
    assertMessage("rate must be in (0.0, 1.0], but was 0.0", () -> new Uniform(0, false));
    assertMessage("rate must be in (0.0, 1.0], but was 10.0", () -> new Uniform(10, false));
    assertMessage("numActive must be at least 1, but was 0", () -> new ExactTop(0));
    assertMessage(
        "share must be in (0.0, 1.0], but was 0.0", () -> new WithTail(new ExactTop(9), 0));
    assertMessage(
        """
        cannot read class selector "uniform(10)": rate must be in (0.0, 1.0], but was 10.0; expected
          uniform(RATE, corrected=false)  e.g. uniform(0.1)\
        """,
        () -> SelectorSpec.parse("uniform(10)"));
  }

  @Test
  void aTailNeedsClassesLeftOutAndNothingThatStandsForThemYet() {
    assertMessage(
        "cannot read class selector \"all + tail(0.1)\": tail needs a selector that leaves classes"
            + " out, but all leaves none out"
            + TAIL,
        () -> SelectorSpec.parse("all + tail(0.1)"));
    assertMessage(
        "cannot read class selector \"exactTop(9) + tail(0.1) + tail(0.2)\": a selector has one"
            + " tail at most, but two are given"
            + TAIL,
        () -> SelectorSpec.parse("exactTop(9) + tail(0.1) + tail(0.2)"));
    assertMessage(
        "cannot read class selector \"uniform(0.1, corrected=true) + tail(0.1)\": corrected=true"
            + " already stands for the classes left out; give it or tail, not both"
            + TAIL,
        () -> SelectorSpec.parse("uniform(0.1, corrected=true) + tail(0.1)"));
  }

  @Test
  void groupsComeLastAndOnce() {
    assertEquals(
        "exactTop(9) + tail(0.1) + groups(16)",
        SelectorSpec.parse("exactTop(9)+tail(0.1)+groups(16)").toString());
    assertMessage(
        "cannot read class selector \"all + groups(2)\": groups need a selector that leaves classes"
            + " out, but all leaves none out"
            + GROUPS,
        () -> SelectorSpec.parse("all + groups(2)"));
    assertMessage(
        "cannot read class selector \"exactTop(9) + groups(2) + groups(3)\": a batch is cut in"
            + " groups once, but groups are given twice"
            + GROUPS,
        () -> SelectorSpec.parse("exactTop(9) + groups(2) + groups(3)"));
    assertMessage(
        "cannot read class selector \"exactTop(9) + groups(2) + tail(0.1)\": each group has its"
            + " tail; write tail before groups"
            + TAIL,
        () -> SelectorSpec.parse("exactTop(9) + groups(2) + tail(0.1)"));
    assertMessage(
        "numGroups must be in [1, 4096], but was 0", () -> new WithGroups(new ExactTop(9), 0));
    assertMessage(
        "numGroups must be in [1, 4096], but was 4097",
        () -> new WithGroups(new ExactTop(9), 4097));
  }

  private static void assertMessage(String expected, Executable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action).getMessage());
  }
}
