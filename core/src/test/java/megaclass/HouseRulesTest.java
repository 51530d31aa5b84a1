// SPDX-License-Identifier: Apache-2.0
package megaclass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every Java file of every module keeps {@link HouseRules}; and each rule is seen to bite. */
class HouseRulesTest {
  private static final String SPDX = "// SPDX-License-Identifier: Apache-2.0\n";
  private static final String SOME_FILE = "core/src/main/java/megaclass/loss/A.java";

  @Test
  void everyJavaFileKeepsTheRulesOfTheHouse() throws IOException {
    var complaints = new ArrayList<String>();
    var files = javaFiles();
    for (var file : files) {
      var path = root().relativize(file).toString().replace('\\', '/');
      complaints.addAll(HouseRules.complaints(path, Files.readString(file)));
    }
    assertEquals("", String.join("\n", complaints));
    assertTrue(files.size() >= 20, "looked at " + files.size() + " files only");
  }

  @Test
  void everyPackageHasAPackageInfo() throws IOException {
    var without = new TreeSet<Path>();
    for (var file : javaFiles()) {
      var folder = Objects.requireNonNull(file.getParent());
      boolean inPackage = file.toString().contains("src/main/java/megaclass/");
      if (inPackage && !Files.exists(folder.resolve("package-info.java"))) {
        without.add(root().relativize(folder));
      }
    }
    assertEquals(new TreeSet<>(), without, "folders without package-info.java");
  }

  @Test
  void everyChangeIsToldInSentencesOfAKind() throws IOException {
    var other = new ArrayList<String>();
    try (var files = Files.list(root().resolve("changes"))) {
      for (var file : files.filter(f -> !f.endsWith("README.md")).sorted().toList()) {
        var name = String.valueOf(file.getFileName());
        boolean wellNamed = name.matches("\\d+-[a-z0-9-]+[.]md");
        for (var paragraph : Files.readString(file).strip().split("\n\n+")) {
          if (!wellNamed || !paragraph.matches("(?s)(Added|Changed|Fixed|Performance): .+")) {
            other.add(name + ": " + paragraph);
          }
        }
      }
    }
    assertEquals(List.of(), other, "not as changes/README.md asks");
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          System.exit(1);                     | only Main may call System.exit; return an exit code or throw
          System.setProperty("a", "b");       | System.setProperty is a hidden switch; pass a value
          new Error().printStackTrace();      | printStackTrace hides an error from the caller; throw it
          try { f(); } catch (Error e) { }    | this catch swallows the error; handle it or let it pass
          try { f(); } catch (Error e) { ; }  | this catch swallows the error; handle it or let it pass
          """)
  void aStatementThatTheHouseForbidsIsNamed(String statement, String complaint) {
    var text = SPDX + "class A {\n  void f() {\n    " + statement + "\n  }\n}\n";
    assertEquals(List.of(SOME_FILE + ":4: " + complaint), HouseRules.complaints(SOME_FILE, text));
  }

  @Test
  void mainMayEndTheProgram() {
    var text = SPDX + "class Main {\n  void f() {\n    System.exit(1);\n  }\n}\n";
    assertEquals(List.of(), HouseRules.complaints("cli/src/main/java/Main.java", text));
  }

  @Test
  void aNoteToDoSomethingNamesItsIssue() {
    var note = "// TO" + "DO";
    assertEquals(List.of(), HouseRules.complaints(SOME_FILE, SPDX + note + " #12: faster\n"));
    assertEquals(
        List.of(SOME_FILE + ":2: a note to do something must name its issue, as in \"#12\""),
        HouseRules.complaints(SOME_FILE, SPDX + note + " faster\n"));
  }

  @Test
  void theFirstLineIsTheLicence() {
    assertEquals(
        List.of(SOME_FILE + ":1: the first line must be " + SPDX.strip()),
        HouseRules.complaints(SOME_FILE, "class A {}\n"));
  }

  @Test
  void aFileHasAtMost400LinesAndAKernel800() {
    var kernel = "core/src/main/java/megaclass/compute/A.java";
    assertEquals(List.of(), HouseRules.complaints(SOME_FILE, SPDX + "\n".repeat(399)));
    assertEquals(
        List.of(SOME_FILE + ":401: a file has at most 400 lines, but this has 401"),
        HouseRules.complaints(SOME_FILE, SPDX + "\n".repeat(400)));
    assertEquals(List.of(), HouseRules.complaints(kernel, SPDX + "\n".repeat(799)));
    assertEquals(
        List.of(kernel + ":801: a file has at most 800 lines, but this has 801"),
        HouseRules.complaints(kernel, SPDX + "\n".repeat(800)));
  }

  @Test
  void aMethodHasAtMost60LinesAndTheStep20() {
    var loop = "core/src/main/java/megaclass/train/TrainLoop.java";
    assertEquals(List.of(), HouseRules.complaints(SOME_FILE, method("f", 60)));
    assertEquals(
        List.of(SOME_FILE + ":3: f has 61 lines, but at most 60 are allowed"),
        HouseRules.complaints(SOME_FILE, method("f", 61)));
    assertEquals(List.of(), HouseRules.complaints(loop, method("step", 20)));
    assertEquals(
        List.of(loop + ":3: step has 21 lines, but at most 20 are allowed"),
        HouseRules.complaints(loop, method("step", 21)));
  }

  @Test
  void aPublicConstructorHasAtMost4Parameters() {
    var five = "public A(int a, int b, int c, int d, int e) {}";
    assertEquals(
        List.of(
            SOME_FILE
                + ":2: a public constructor has at most 4 parameters, but this has 5;"
                + " take a record"),
        HouseRules.complaints(SOME_FILE, SPDX + "public class A { " + five + " }\n"));
    var record = "public record A(int a, int b, int c, int d, int e) { " + five + " }\n";
    assertEquals(List.of(), HouseRules.complaints(SOME_FILE, SPDX + record));
  }

  @Test
  void aPackageInfoTellsTheJobAndIsNullMarked() {
    var file = "core/src/main/java/megaclass/loss/package-info.java";
    assertEquals(
        List.of(
            file + ":1: package-info must have @NullMarked",
            file + ":1: package-info must tell the job of the package in two sentences"),
        HouseRules.complaints(file, SPDX + "/** Losses. */\npackage megaclass.loss;\n"));
    assertEquals(
        List.of(),
        HouseRules.complaints(
            file, SPDX + "/** Losses. And more. */\n@NullMarked\npackage megaclass.loss;\n"));
  }

  private static String method(String name, int lines) {
    return SPDX + "class A {\n  void " + name + "() {" + "\n".repeat(lines - 1) + "  }\n}\n";
  }

  private static List<Path> javaFiles() {
    try (var paths = Files.walk(root())) {
      return paths
          .filter(path -> path.toString().endsWith(".java"))
          .filter(path -> root().relativize(path).toString().contains("src/"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The root of the repository; tests run in the folder of their module. */
  private static Path root() {
    return Objects.requireNonNull(Path.of("").toAbsolutePath().getParent());
  }
}
