// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The documents name, for each formula, a method that computes it and a test that holds it. */
class MathDocumentTest {
  /** A name in code quotes such as {@code Loss.targetLogit}. */
  private static final Pattern NAME = Pattern.compile("`([A-Z]\\w*)\\.([a-z]\\w*)`");

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private final Map<String, Path> sources = sources();

  @ParameterizedTest
  @ValueSource(strings = {"docs/math.md", "docs/decisions/0001-arcface-gradient.md"})
  void everyMethodAndTestThatTheDocumentNamesExists(String document) throws IOException {
    var names = NAME.matcher(Files.readString(ROOT.resolve(document)));
    var missing = new ArrayList<String>();
    int found = 0;
    for (; names.find(); found++) {
      if (!exists(names.group(1), names.group(2))) {
        missing.add(names.group());
      }
    }
    assertEquals(List.of(), missing);
    assertTrue(found >= 4, document);
  }

  @Test
  void everyFormulaHasAMethodAndATest() throws IOException {
    String[] parts = Files.readString(ROOT.resolve("docs/math.md")).split("\n```\n?");
    assertTrue(parts.length >= 19 && parts.length % 2 == 1, "formulas stand between ``` lines");
    for (int i = 1; i < parts.length; i += 2) {
      String formula = parts[i];
      var names = NAME.matcher(parts[i + 1]);
      boolean method = false;
      boolean test = false;
      while (names.find()) {
        test |= names.group(1).endsWith("Test");
        method |= !names.group(1).endsWith("Test");
      }
      assertTrue(method, () -> "no method computes\n" + formula);
      assertTrue(test, () -> "no test holds\n" + formula);
    }
  }

  private boolean exists(String className, String methodName) throws IOException {
    Path source = sources.get(className + ".java");
    return source != null
        && Pattern.compile("[\\w>\\]] " + methodName + "\\(")
            .matcher(Files.readString(source))
            .find();
  }

  private static Map<String, Path> sources() {
    var sources = new TreeMap<String, Path>();
    for (String module : List.of("core", "testkit")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src"))) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .forEach(file -> sources.put(String.valueOf(file.getFileName()), file));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return sources;
  }
}
