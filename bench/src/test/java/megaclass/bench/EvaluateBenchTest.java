// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateBenchTest {
  @TempDir Path folder;

  @Test
  void theIndexFindsWhatWasAskedForAndTheResultSaysSo() {
    var out = new StringWriter();
    var err = new StringWriter();
    var shell = new Shell(new PrintWriter(out, true), new PrintWriter(err, true), folder);
    assertEquals(
        0,
        shell.run(
            "evaluate", "--num-classes=5000", "--dim=16", "--samples=1000", "--recall=0.9,0.8"),
        err::toString);
    var result = ResultFile.value(out.toString(), EvaluateResult.class);
    assertEquals(1000, result.samples());
    assertTrue(result.exact().gigaflops() > 0, out::toString);
    assertEquals(2, result.indexed().size());
    for (var indexed : result.indexed()) {
      assertTrue(indexed.search().startsWith("through an index: "), indexed::search);
      assertTrue(indexed.recall() > indexed.wantedRecall() - 0.03, indexed::toString);
      assertTrue(indexed.recall() < 1, indexed::toString);
    }
  }
}
