// SPDX-License-Identifier: Apache-2.0
package megaclass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packages of core stand in one order, and each uses only earlier ones. */
class PackageOrderTest {
  private static final List<String> ORDER =
      List.of(
          "internal",
          "compute",
          "data",
          "image",
          "backbone",
          "weights",
          "index",
          "select",
          "loss",
          "optim",
          "head",
          "eval",
          "openset",
          "model",
          "train");

  /** One line of jdeps: a class, an arrow, a class that it uses. */
  private static final Pattern USE =
      Pattern.compile("(?m)^\\s+(megaclass\\.(\\w+)\\.\\S+)\\s+->\\s+(megaclass\\.(\\w+)\\.\\S+)");

  @Test
  void everyPackageOfCoreUsesOnlyEarlierOnes() throws IOException {
    assertEquals("", String.join("\n", violations(Path.of("target/classes"))));
  }

  @Test
  void everyPackageOfCoreHasItsPlaceInTheOrder() throws IOException {
    try (var folders = Files.list(Path.of("src/main/java/megaclass"))) {
      var unplaced = folders.map(f -> f.getFileName().toString()).filter(f -> !ORDER.contains(f));
      assertEquals(List.of(), unplaced.toList(), "packages that ORDER does not list");
    }
  }

  @Test
  void aUseOfALaterPackageIsNamed(@TempDir Path folder) throws IOException {
    var trainer = source(folder, "train", "Trainer", "public class Trainer {}");
    var dataset =
        source(folder, "data", "Dataset", "class Dataset { megaclass.train.Trainer[] mine; }");
    var javac = ToolProvider.findFirst("javac").orElseThrow();
    var classes = folder.resolve("classes").toString();
    assertEquals(0, javac.run(System.out, System.err, "-d", classes, trainer, dataset));

    assertEquals(
        List.of("megaclass.data.Dataset uses megaclass.train.Trainer, but data comes before train"),
        violations(folder.resolve("classes")));
  }

  private static List<String> violations(Path classes) throws IOException {
    var found = new ArrayList<String>();
    Matcher use = USE.matcher(jdeps(classes));
    while (use.find()) {
      String user = use.group(2);
      String used = use.group(4);
      if (ORDER.indexOf(user) < ORDER.indexOf(used)) {
        found.add(
            "%s uses %s, but %s comes before %s".formatted(use.group(1), use.group(3), user, used));
      }
    }
    return found;
  }

  private static String jdeps(Path classes) throws IOException {
    var out = new StringWriter();
    var jdeps = ToolProvider.findFirst("jdeps").orElseThrow();
    String[] args = {"-verbose:class", "-filter:none", "--ignore-missing-deps", classes.toString()};
    int status = jdeps.run(new PrintWriter(out), new PrintWriter(System.err, true), args);
    assertEquals(0, status, out.toString());
    assertTrue(out.toString().contains("->"), "jdeps found nothing in " + classes);
    return out.toString();
  }

  private static String source(Path folder, String pack, String name, String body)
      throws IOException {
    var file = folder.resolve(name + ".java");
    Files.writeString(file, "package megaclass." + pack + "; " + body);
    return file.toString();
  }
}
