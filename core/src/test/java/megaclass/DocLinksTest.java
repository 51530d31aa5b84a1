// SPDX-License-Identifier: Apache-2.0
package megaclass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No document names a file, or a heading of another document, that does not exist. */
class DocLinksTest {
  /** {@code [text](target)} and {@code [text]: target}. */
  private static final Pattern LINK =
      Pattern.compile("\\]\\(<?([^)\\s>]+)>?(?:\\s+\"[^\"]*\")?\\)|(?m)^\\[[^\\]]+\\]:\\s+(\\S+)");

  private static final Pattern CODE = Pattern.compile("(?ms)^ *```.*?^ *```|`[^`\n]*`|<!--.*?-->");
  private static final Pattern HEADING = Pattern.compile("(?m)^#{1,6} +(.+?) *#*$");
  private static final Pattern ELSEWHERE = Pattern.compile("^[a-z][a-z0-9+.-]*:.*");

  @Test
  void everyLinkOfEveryDocumentLeadsSomewhere() throws IOException {
    var documents = documents(root());
    assertTrue(documents.size() >= 10, () -> "looked at " + documents);
    var broken = new ArrayList<String>();
    for (Path document : documents) {
      broken.addAll(brokenLinks(root(), document));
    }
    assertEquals("", String.join("\n", broken));
  }

  @Test
  void aLinkThatLeadsNowhereIsNamed(@TempDir Path root) throws IOException {
    Files.createDirectories(root.resolve("docs"));
    Files.writeString(
        root.resolve("docs/there.md"), "# What is `there`?\n\n## Again\n\n## Again\n");
    Path document = root.resolve("README.md");
    Files.writeString(
        document,
        """
        # Top
        [good](docs/there.md), [good](docs/there.md#what-is-there), [good](docs/there.md#again-1),
        [good](#top), [good](docs), [good](https://example.org/a.md), [good](mailto:a@example.org),
        [bad](docs/gone.md), [bad](docs/there.md#gone), [bad](#gone), ![bad](gone.png "picture"),
        `[no link](gone)` and [bad](../outside.md).
        ```
        [no link](gone)
        ```
        <!-- [no link](gone) -->
        [bad]: gone/too.md
        """);
    assertEquals(
        List.of(
            "README.md: docs/gone.md does not exist",
            "README.md: docs/there.md has no heading #gone",
            "README.md: README.md has no heading #gone",
            "README.md: gone.png does not exist",
            "README.md: ../outside.md leaves the repository",
            "README.md: gone/too.md does not exist"),
        brokenLinks(root, document));
  }

  /** Complaints about the links of one document. */
  private static List<String> brokenLinks(Path root, Path document) throws IOException {
    var broken = new ArrayList<String>();
    Matcher link = LINK.matcher(CODE.matcher(Files.readString(document)).replaceAll(""));
    while (link.find()) {
      String target = Objects.requireNonNullElse(link.group(1), link.group(2));
      String complaint =
          ELSEWHERE.matcher(target).matches() ? "" : complaint(root, document, target);
      if (!complaint.isEmpty()) {
        broken.add(root.relativize(document) + ": " + complaint);
      }
    }
    return broken;
  }

  /** What is wrong with a link inside the repository, or "". */
  private static String complaint(Path root, Path document, String target) throws IOException {
    int hash = target.indexOf('#');
    String path = hash < 0 ? target : target.substring(0, hash);
    Path folder = Objects.requireNonNull(document.getParent());
    String decoded = URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
    Path file = path.isEmpty() ? document : folder.resolve(decoded).normalize();
    if (!file.startsWith(root)) {
      return target + " leaves the repository";
    }
    if (!Files.exists(file)) {
      return target + " does not exist";
    }
    boolean headingIsThere =
        hash < 0
            || !file.toString().endsWith(".md")
            || anchors(Files.readString(file)).contains(target.substring(hash + 1));
    return headingIsThere
        ? ""
        : root.relativize(file) + " has no heading " + target.substring(hash);
  }

  /** The anchors that headings get, as GitHub makes them. */
  private static List<String> anchors(String document) {
    var anchors = new ArrayList<String>();
    Matcher heading = HEADING.matcher(document.replaceAll("(?ms)^ *```.*?^ *```", ""));
    while (heading.find()) {
      String anchor =
          heading
              .group(1)
              .toLowerCase(Locale.ROOT)
              .replaceAll("\\[([^\\]]*)\\]\\([^)]*\\)", "$1")
              .replaceAll("[^\\p{L}\\p{N} _-]", "")
              .replace(' ', '-');
      Predicate<String> taken = anchors::contains;
      String numbered = anchor;
      for (int n = 1; taken.test(numbered); n++) {
        numbered = anchor + "-" + n;
      }
      anchors.add(numbered);
    }
    return anchors;
  }

  /** Every Markdown file of the repository, but those that builds and runs have made. */
  private static List<Path> documents(Path root) throws IOException {
    try (var files = Files.walk(root)) {
      return files
          .filter(file -> file.toString().endsWith(".md"))
          .filter(
              file -> !root.relativize(file).toString().matches("(.*/)?(target|\\.git|runs)/.*"))
          .filter(file -> !root.relativize(file).toString().contains("src/test/resources"))
          .sorted()
          .toList();
    }
  }

  /** The root of the repository; tests run in the folder of their module. */
  private static Path root() {
    return Objects.requireNonNull(Path.of("").toAbsolutePath().getParent());
  }
}
