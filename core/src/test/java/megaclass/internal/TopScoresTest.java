// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TopScoresTest {
  /** 512 * 2^23 is 2^32, which is 0 as an int. */
  @ParameterizedTest
  @CsvSource({"512, 4194304, 4194303", "512, 8388608, 4194303", "65536, 2147483647, 32767"})
  void moreThanOneArrayHoldsIsRefused(int samples, int k, int largest) {
    var e = assertThrows(IllegalArgumentException.class, () -> new TopScores(samples, k));
    assertEquals(
        "the best scores of %d samples at once can be kept up to k = %d, but k was %d"
            .formatted(samples, largest, k),
        e.getMessage());
  }
}
