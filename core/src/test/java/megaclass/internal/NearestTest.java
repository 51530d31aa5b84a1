// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NearestTest {
  private static final List<String> KNOWN = List.of("momentum", "nesterov", "decay", "d");

  @Test
  void aLetterTooManyTooFewOrWrongIsForgiven() {
    assertEquals(Optional.of("momentum"), Nearest.to("momentun", KNOWN));
    assertEquals(Optional.of("nesterov"), Nearest.to("nestrov", KNOWN));
    assertEquals(Optional.of("decay"), Nearest.to("deccay", KNOWN));
  }

  @Test
  void twoNeighboursSwappedAreOneSlip() {
    assertEquals(Optional.of("train"), Nearest.to("trian", List.of("plan", "train")));
    assertEquals(Optional.of("seed"), Nearest.to("sede", List.of("seed")));
    assertEquals(Optional.of("d1"), Nearest.to("1d", List.of("d1")));
    assertEquals(Optional.empty(), Nearest.to("dese", List.of("seed"))); // not neighbours
  }

  @Test
  void caseDoesNotCount() {
    assertEquals(Optional.of("momentum"), Nearest.to("MOMENTUM", KNOWN));
  }

  @Test
  void theNearestOfSeveralIsChosenAndTheFirstOfEquallyNear() {
    assertEquals(Optional.of("scale"), Nearest.to("scalle", List.of("scaled", "scale")));
    assertEquals(Optional.of("cat"), Nearest.to("bat", List.of("cat", "rat")));
  }

  @Test
  void aWordThatResemblesNoneHasNoNearest() {
    assertEquals(Optional.empty(), Nearest.to("epsilon", KNOWN));
    assertEquals(Optional.empty(), Nearest.to("epsilon", List.of()));
  }
}
