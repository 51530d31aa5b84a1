// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class SpecTextTest {
  private enum Mode {
    FULL,
    HALF_OPEN
  }

  /** Forms whose values are texts that say what was read. */
  private static final SpecText<String> FORMS =
      SpecText.<String>of("thing")
          .form("plain", "plain", _ -> "plain")
          .form(
              "box(numSides, width=1.5, open=false, mode=full)",
              "box(4)",
              a ->
                  "box %d %s %s %s"
                      .formatted(
                          a.integer("numSides"),
                          a.number("width"),
                          a.flag("open"),
                          a.choice("mode", Mode.class)))
          .form(
              "list(items=1;2, range=3-4)",
              "list(items=5;6)",
              a ->
                  "list %s %s"
                      .formatted(
                          Arrays.toString(a.numbers("items")),
                          Arrays.toString(a.integerRange("range"))))
          .addition(
              "lid(height)",
              "box(4) + lid(2)",
              (before, a) -> before + " lid " + a.number("height"));

  private static final String ALL_FORMS =
      """
      ; expected one of
        plain
        box(NUM_SIDES, width=1.5, open=false, mode=full)  e.g. box(4)
        list(items=1;2, range=3-4)                        e.g. list(items=5;6)
        ... + lid(HEIGHT)                                 e.g. box(4) + lid(2)\
      """;

  private static final String BOX =
      """
      ; expected
        box(NUM_SIDES, width=1.5, open=false, mode=full)  e.g. box(4)\
      """;

  private static final String LIST =
      """
      ; expected
        list(items=1;2, range=3-4)  e.g. list(items=5;6)\
      """;

  @Test
  void defaultsStandForWhatIsNotGiven() {
    assertEquals("box 4 1.5 false FULL", FORMS.parse("box(4)"));
    assertEquals("list [1.0, 2.0] [3, 4]", FORMS.parse("list"));
    assertEquals("plain", FORMS.parse("plain()"));
  }

  @Test
  void valuesAreGivenByPlaceOrByNameOrFirstByPlaceAndThenByName() {
    String expected = "box 4 2.0 true HALF_OPEN";
    assertEquals(expected, FORMS.parse("box(4, 2, true, half-open)"));
    assertEquals(expected, FORMS.parse("box(mode=half-open, open=true, width=2, numSides=4)"));
    assertEquals(expected, FORMS.parse("box(4, 2, mode=half-open, open=true)"));
  }

  @Test
  void spacesBetweenPartsDoNotMatter() {
    assertEquals(
        "box 4 0.5 false FULL lid 2.0", FORMS.parse("  box ( 4 ,\twidth = 0.5 )  +\n lid ( 2 ) "));
    assertEquals("list [1.0, 2.0] [3, 4]", FORMS.parse("list(1 ; 2 )"));
  }

  @Test
  void additionsApplyFromLeftToRight() {
    assertEquals("plain lid 1.0 lid 2.0", FORMS.parse("plain + lid(1) + lid(2)"));
  }

  @Test
  void numbersMayHaveSignFractionAndExponent() {
    assertEquals("list [-1.0, 0.5, 1.0E10, 0.002] [3, 4]", FORMS.parse("list(-1;.5;1e+10;2.E-3)"));
  }

  @Test
  void unknownNamesAreAnsweredWithTheNearestOneAndTheForms() {
    assertFault("bocks(4)", "unknown name \"bocks\" at character 1" + ALL_FORMS);
    assertFault(
        "Box(4)", "unknown name \"Box\" at character 1 (did you mean \"box\"?)" + ALL_FORMS);
    assertFault("lid(1)", "unknown name \"lid\" at character 1" + ALL_FORMS);
    assertFault(
        "box(4) + lit(1)",
        "unknown addition \"lit\" at character 10 (did you mean \"lid\"?)" + ALL_FORMS);
    assertFault("box(4) + plain", "unknown addition \"plain\" at character 10" + ALL_FORMS);
  }

  @Test
  void unknownParametersAreAnsweredWithTheNearestOneAndTheForm() {
    assertFault("box(4, length=2)", "unknown parameter \"length\" at character 8" + BOX);
    assertFault(
        "box(4, widht=2)",
        "unknown parameter \"widht\" at character 8 (did you mean \"width\"?)" + BOX);
    assertFault(
        "box(4, with=2)",
        "unknown parameter \"with\" at character 8 (did you mean \"width\"?)" + BOX);
  }

  @Test
  void misplacedParametersAreNamed() {
    assertFault("box", "numSides is missing" + BOX);
    assertFault("box(width=2)", "numSides is missing" + BOX);
    assertFault("box(4, numSides=5)", "numSides is given a second time at character 8" + BOX);
    assertFault(
        "box(numSides=4, 2)",
        "\"2\" at character 17 needs a name, since a value before it has one" + BOX);
    assertFault("box(4, 2, true, full, 9)", "\"9\" at character 23 is one value too many" + BOX);
  }

  @Test
  void valuesOfTheWrongKindAreNamed() {
    assertFault(
        "box(four)",
        "numSides must be a whole number below two billion, but was \"four\" at character 5" + BOX);
    assertFault(
        "box(2000000000)",
        "numSides must be a whole number below two billion, but was \"2000000000\" at character 5"
            + BOX);
    assertFault(
        "box(4, width=wide)", "width must be a number, but was \"wide\" at character 14" + BOX);
    assertFault("box(4, NaN)", "width must be a number, but was \"NaN\" at character 8" + BOX);
    assertFault("box(4, 2f)", "width must be a number, but was \"2f\" at character 8" + BOX);
    assertFault(
        "box(4, open=yes)", "open must be true or false, but was \"yes\" at character 13" + BOX);
    assertFault(
        "box(4, mode=FULL)",
        "mode must be full or half-open, but was \"FULL\" at character 13" + BOX);
    assertFault(
        "list(1;)",
        "items must be numbers with \";\" between them, but was \"1;\" at character 6" + LIST);
    assertFault(
        "list(range=3)",
        "range must be two whole numbers with \"-\" between them, but was \"3\" at character 12"
            + LIST);
  }

  @Test
  void whatDoesNotFitTheGrammarIsNamedWithItsPosition() {
    assertFault("", "expected a name at character 1, but the text ends" + ALL_FORMS);
    assertFault("(4)", "expected a name at character 1, but there is \"(\"" + ALL_FORMS);
    assertFault("box(4", "expected \",\" or \")\" at character 6, but the text ends" + ALL_FORMS);
    assertFault("box(4(", "expected \",\" or \")\" at character 6, but there is \"(\"" + ALL_FORMS);
    assertFault("box(4,)", "expected a value at character 7, but there is \")\"" + ALL_FORMS);
    assertFault("box(width=)", "expected a value at character 11, but there is \")\"" + ALL_FORMS);
    assertFault("box(=4)", "expected a value at character 5, but there is \"=\"" + ALL_FORMS);
    assertFault(
        "plain plain", "expected \"+\" or the end at character 7, but there is \"p\"" + ALL_FORMS);
    assertFault("box(4) +", "expected a name at character 9, but the text ends" + ALL_FORMS);
  }

  @Test
  void aFaultFoundByTheReaderIsToldWithTheTextAndTheForm() {
    var forms =
        SpecText.<Integer>of("count")
            .form("some(number)", "some(3)", a -> Check.positive("number", a.integer("number")));
    var e = assertThrows(IllegalArgumentException.class, () -> forms.parse("some(0)"));
    assertEquals(
        """
        cannot read count "some(0)": number must be at least 1, but was 0; expected
          some(NUMBER)  e.g. some(3)\
        """,
        e.getMessage());
  }

  @Test
  void aDeclarationThatIsNoFormIsAFaultOfTheProgram() {
    var e =
        assertThrows(
            IllegalStateException.class,
            () -> SpecText.<String>of("thing").form("box(", "box", _ -> "box"));
    assertEquals(
        "declaration \"box(\": expected a value at character 5, but the text ends", e.getMessage());
  }

  @Property
  void everyTextIsReadOrRefusedWithTheText(@ForAll("nearTheGrammar") String text) {
    try {
      FORMS.parse(text);
    } catch (IllegalArgumentException e) {
      String message = String.valueOf(e.getMessage());
      assertTrue(message.startsWith("cannot read thing \"" + text + "\": "), message);
    }
  }

  @Provide
  Arbitrary<String> nearTheGrammar() {
    var pieces =
        Arbitraries.of(
            "box", "list", "plain", "lid", "(", ")", ",", "=", "+", ";", "4", "-", "width", "open",
            "true", " ", "mode", "full", "\0", "\uD83D", "ą");
    return pieces.list().ofMaxSize(12).map(list -> String.join("", list));
  }

  @Property
  void numbersReadBackAsTheyWere(@ForAll double number) {
    assertEquals(number, Double.parseDouble(SpecText.text(number)));
    assertEquals(
        "list [%s] [3, 4]".formatted(number),
        FORMS.parse("list(%s)".formatted(SpecText.text(number))));
  }

  @Test
  void numbersAreWrittenShort() {
    assertEquals("64", SpecText.text(64.0));
    assertEquals("0.5", SpecText.text(0.5));
    assertEquals("1e-8", SpecText.text(1e-8));
    assertEquals("1.5e10", SpecText.text(1.5e10));
    assertEquals("100.25", SpecText.text(100.25));
  }

  private static void assertFault(String text, String fault) {
    var e = assertThrows(IllegalArgumentException.class, () -> FORMS.parse(text));
    assertEquals("cannot read thing \"" + text + "\": " + fault, e.getMessage());
  }
}
