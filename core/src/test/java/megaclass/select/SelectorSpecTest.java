// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import megaclass.index.BinaryIvf;
import megaclass.select.SelectorSpec.Adaptive;
import megaclass.select.SelectorSpec.All;
import megaclass.select.SelectorSpec.Auto;
import megaclass.select.SelectorSpec.Curriculum;
import megaclass.select.SelectorSpec.ExactTop;
import megaclass.select.SelectorSpec.Forest;
import megaclass.select.SelectorSpec.Ivf;
import megaclass.select.SelectorSpec.Neighbours;
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
        uniform(RATE, corrected=false)  e.g. uniform(0.1)
        exactTop(NUM_ACTIVE)  e.g. exactTop(4096)
        ivf(rate=0.1, coverage=1, numLists=0, numProbes=0, numCandidates=0, repairEvery=1000, code=rabitq)  e.g. ivf(0.01)
        forest(RATE, numTrees=50, leafSize=0, numCandidates=0, refreshEvery=1000, refreshDrift=0)  e.g. forest(0.01)
        auto(RATE, tuneAfter=0)  e.g. auto(0.01)
        neighbours(RATE, numNeighbours=0, refreshEvery=1000)  e.g. neighbours(0.01)
        ... + adaptive(MASS_THRESHOLD, policy=reachable, probeEvery=500)  e.g. ivf(0.1) + adaptive(0.95)
        ... + tail(SHARE)  e.g. exactTop(4096) + tail(0.1)
        ... + curriculum(NUM_STEPS)  e.g. ivf(0.01) + curriculum(1000)
        ... + groups(NUM_GROUPS)  e.g. ivf(0.01) + groups(8)\
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
    var positive = Arbitraries.integers().between(1, 1_999_999_999);
    Arbitrary<SelectorSpec> ivf =
        Combinators.combine(
                shares,
                shares,
                Arbitraries.integers().between(0, 30_000),
                positive,
                Arbitraries.of(BinaryIvf.Code.values()))
            .as((rate, coverage, n, every, code) -> new Ivf(rate, coverage, n, n, n, every, code));
    var counts = Arbitraries.integers().between(1, 4096);
    Arbitrary<SelectorSpec> forest =
        Combinators.combine(shares, counts, counts, counts, counts, shares).as(Forest::new);
    Arbitrary<SelectorSpec> neighbours =
        Combinators.combine(shares, counts, positive).as(Neighbours::new);
    Arbitrary<SelectorSpec> ungrouped =
        Arbitraries.oneOf(
            top,
            uniform,
            shares.map(rate -> new Uniform(rate, true)),
            ivf,
            forest,
            neighbours,
            Combinators.combine(shares, positive).as(Auto::new),
            Combinators.combine(ivf, shares, Arbitraries.of(Adaptive.Policy.values()), positive)
                .as(Adaptive::new),
            Combinators.combine(Arbitraries.oneOf(top, forest, neighbours), positive)
                .as(Curriculum::new),
            Combinators.combine(Arbitraries.oneOf(top, uniform, ivf, forest), shares)
                .as(WithTail::new));
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
    assertEquals(
        "forest(0.01, numTrees=50, leafSize=0, numCandidates=0, refreshEvery=1000, refreshDrift=0)",
        SelectorSpec.parse("forest(.01)").toString());
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
    assertMessage("rate must be in (0.0, 1.0], but was 2.0", () -> new Forest(2, 50, 0, 0, 1, 0));
    assertMessage("numTrees must be in [1, 10000], but was 0", () -> new Forest(1, 0, 0, 0, 1, 0));
    assertMessage("leafSize must be at least 0, but was -1", () -> new Forest(1, 50, -1, 0, 1, 0));
    assertMessage(
        "numCandidates must be in [0, 1048576], but was -1", () -> new Forest(1, 50, 0, -1, 1, 0));
    assertMessage(
        "refreshEvery must be at least 1, but was 0", () -> new Forest(1, 50, 0, 0, 0, 0));
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
  void aCurriculumEndsOnceWithWhatLooksForClasses() {
    String form =
        """
        ; expected
          ... + curriculum(NUM_STEPS)  e.g. ivf(0.01) + curriculum(1000)\
        """;
    assertMessage(
        "cannot read class selector \"all + curriculum(9)\": a curriculum ends with a selector that"
            + " looks for classes, but got all"
            + form,
        () -> SelectorSpec.parse("all + curriculum(9)"));
    assertMessage(
        "cannot read class selector \"exactTop(9) + curriculum(9) + curriculum(9)\": a curriculum"
            + " has one end, but two are given"
            + form,
        () -> SelectorSpec.parse("exactTop(9) + curriculum(9) + curriculum(9)"));
    assertMessage(
        "cannot read class selector \"exactTop(9) + groups(2) + curriculum(9)\": groups are cut"
            + " from the first step on; write curriculum before groups"
            + form,
        () -> SelectorSpec.parse("exactTop(9) + groups(2) + curriculum(9)"));
    assertMessage(
        "cannot read class selector \"exactTop(9) + curriculum(9) + tail(0.1)\": uniform classes"
            + " need no tail; write tail before curriculum"
            + TAIL,
        () -> SelectorSpec.parse("exactTop(9) + curriculum(9) + tail(0.1)"));
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

  /** Examples stand one below the other, however long the longest form is. */
  private static void assertMessage(String expected, Executable action) {
    var e = assertThrows(IllegalArgumentException.class, action);
    assertEquals(expected, String.valueOf(e.getMessage()).replaceAll("(?<=\\S) {2,}", "  "));
  }
}
