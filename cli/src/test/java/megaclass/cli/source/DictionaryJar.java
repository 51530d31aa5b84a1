// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import morfologik.fsa.builders.FSA5Serializer;
import morfologik.fsa.builders.FSABuilder;

/** Makes a jar of small morfologik dictionaries. */
public final class DictionaryJar {
  private static final String INFO =
      """
      fsa.dict.separator=;
      fsa.dict.encoding=UTF-8
      fsa.dict.encoder=NONE
      """;

  private DictionaryJar() {}

  /**
   * Writes a jar.
   *
   * @param namesAndPairs the path of each dictionary and its list of {@code form;lemma}
   */
  @SuppressWarnings("unchecked")
  public static void write(Path jar, Object... namesAndPairs) {
    try (var out = new JarOutputStream(Files.newOutputStream(jar))) {
      entry(out, "META-INF/nothing", new byte[0]);
      for (int i = 0; i < namesAndPairs.length; i += 2) {
        var name = (String) namesAndPairs[i];
        entry(out, name, automaton((List<String>) namesAndPairs[i + 1]));
        entry(out, name.replace(".dict", ".info"), INFO.getBytes(UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] automaton(List<String> pairs) throws IOException {
    var lines =
        pairs.stream()
            .map(pair -> (pair + ";tag").getBytes(UTF_8))
            .sorted(FSABuilder.LEXICAL_ORDERING)
            .toArray(byte[][]::new);
    var bytes = new ByteArrayOutputStream();
    OutputStream written =
        new FSA5Serializer().serialize(FSABuilder.build(Arrays.asList(lines)), bytes);
    written.flush();
    return bytes.toByteArray();
  }

  private static void entry(JarOutputStream out, String name, byte[] bytes) throws IOException {
    out.putNextEntry(new JarEntry(name));
    out.write(bytes);
    out.closeEntry();
  }
}
