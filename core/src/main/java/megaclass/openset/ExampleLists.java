// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import megaclass.data.TabbedLines;
import megaclass.data.TabbedLines.Line;

/**
 * Reads lists of examples from UTF-8 files, a line each, fields between tabs; empty lines say
 * nothing. A bad line ends with one sentence that starts with the file and the line.
 */
public final class ExampleLists {
  /** How the files of images end whose lists leave that out, as those of LFW do. */
  private static final List<String> IMAGE_ENDINGS = List.of("", ".jpg", ".jpeg", ".png");

  private ExampleLists() {}

  /**
   * Pairs: {@code NAME<TAB>NAME<TAB>1} for one class, {@code 0} for different ones; or the form of
   * LFW's {@code pairs.txt}, whose first line has numbers only, and whose lines are {@code
   * PERSON<TAB>NUMBER<TAB>NUMBER} or {@code PERSON<TAB>NUMBER<TAB>PERSON<TAB>NUMBER}, for images
   * {@code PERSON/PERSON_0001.jpg}.
   */
  public static Pairs.Listed pairs(Path file, ExampleNames names) {
    var lines = TabbedLines.read(file);
    boolean lfw = !lines.isEmpty() && isHeader(lines.getFirst());
    var pairs = new ArrayList<Pairs.Pair>();
    for (var line : lfw ? lines.subList(1, lines.size()) : lines) {
      var pair = lfw ? lfwPair(line, names) : pair(line, names);
      if (pair.first() == pair.second()) {
        throw line.fault("pairs an example with itself; name two different ones");
      }
      pairs.add(pair);
    }
    return Pairs.of(pairs);
  }

  private static boolean isHeader(Line line) {
    return line.fields().size() <= 2 && line.fields().stream().allMatch(f -> f.matches("\\d+"));
  }

  private static Pairs.Pair pair(Line line, ExampleNames names) {
    var fields = line.fields();
    if (fields.size() != 3 || !fields.getLast().matches("[01]")) {
      throw line.fault(
          "expected NAME<TAB>NAME<TAB>1 for a pair of one class or 0 for one of two, but got "
              + line.excerpt());
    }
    int first = item(line, fields.get(0), names);
    return new Pairs.Pair(first, item(line, fields.get(1), names), fields.get(2).equals("1"));
  }

  private static Pairs.Pair lfwPair(Line line, ExampleNames names) {
    var fields = line.fields();
    boolean same = fields.size() == 3;
    if (!same && fields.size() != 4) {
      throw line.fault(
          "expected PERSON<TAB>NUMBER<TAB>NUMBER or PERSON<TAB>NUMBER<TAB>PERSON<TAB>NUMBER,"
              + " as the first line is that of LFW's pairs.txt, but got "
              + line.excerpt());
    }
    int first = image(line, fields.get(0), fields.get(1), names);
    int second = image(line, fields.get(same ? 0 : 2), fields.getLast(), names);
    return new Pairs.Pair(first, second, same);
  }

  private static int image(Line line, String person, String number, ExampleNames names) {
    if (!number.matches("\\d{1,9}")) {
      throw line.fault("expected the number of an image, but got \"" + number + "\"");
    }
    String stem = "%s/%s_%04d".formatted(person, person, Integer.parseInt(number));
    for (var ending : IMAGE_ENDINGS) {
      int item = names.find(stem + ending);
      if (item != ExampleNames.UNKNOWN) {
        return item;
      }
    }
    throw unknown(line, stem, names);
  }

  /** Names, one a line: probes, or a gallery. */
  public static int[] items(Path file, ExampleNames names) {
    var items = new ArrayList<Integer>();
    for (var line : TabbedLines.read(file)) {
      if (line.fields().size() != 1) {
        throw line.fault("expected one NAME a line, but got " + line.excerpt());
      }
      items.add(item(line, line.fields().getFirst(), names));
    }
    return items.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * Templates, in the order of their first lines: {@code TEMPLATE<TAB>SUBJECT<TAB>NAME}, and {@code
   * <TAB>MEDIUM} behind it where examples come from one medium; without, each is its own.
   */
  public static List<Template> templates(Path file, ExampleNames names) {
    var drafts = new LinkedHashMap<String, Draft>();
    for (var line : TabbedLines.read(file)) {
      var fields = line.fields();
      if (fields.size() != 3 && fields.size() != 4) {
        throw line.fault(
            "expected TEMPLATE<TAB>SUBJECT<TAB>NAME, or these and <TAB>MEDIUM, but got "
                + line.excerpt());
      }
      var draft = drafts.computeIfAbsent(fields.get(0), _ -> new Draft(fields.get(1)));
      if (!draft.subject.equals(fields.get(1))) {
        throw line.fault(
            "template %s is of subject %s here, but of %s above; a template has one subject"
                .formatted(fields.get(0), fields.get(1), draft.subject));
      }
      // No medium has the name that stands for an example without one: fields have no tabs.
      String medium = fields.size() == 4 ? fields.get(3) : "\t" + line.number();
      draft
          .media
          .computeIfAbsent(medium, _ -> new ArrayList<>())
          .add(item(line, fields.get(2), names));
    }
    var templates = new ArrayList<Template>();
    drafts.forEach(
        (id, draft) ->
            templates.add(new Template(id, draft.subject, List.copyOf(draft.media.values()))));
    return List.copyOf(templates);
  }

  /** A template whose lines are being read. */
  private static final class Draft {
    final String subject;
    final Map<String, List<Integer>> media = new LinkedHashMap<>();

    Draft(String subject) {
      this.subject = subject;
    }
  }

  private static int item(Line line, String name, ExampleNames names) {
    int item = names.find(name);
    if (item == ExampleNames.UNKNOWN) {
      throw unknown(line, name, names);
    }
    return item;
  }

  private static RuntimeException unknown(Line line, String name, ExampleNames names) {
    return line.fault(
        "nothing in the data is called \"%s\"; the first there is called \"%s\""
            .formatted(name, names.name(0)));
  }
}
