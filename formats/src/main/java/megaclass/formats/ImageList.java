// SPDX-License-Identifier: Apache-2.0
package megaclass.formats;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import megaclass.internal.InvalidFileException;

/**
 * A file that lists images: {@code path<TAB>label} in each line, UTF-8; paths are relative to the
 * folder of the list. Empty lines are skipped.
 *
 * @param path the list
 */
public record ImageList(Path path) implements ImageCatalogue {
  @Override
  public void forEach(Consumer<EncodedImage> into) {
    try (var lines = Files.newBufferedReader(path)) {
      int number = 0;
      for (var line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (!line.isEmpty()) {
          into.accept(image(line, number));
        }
      }
    } catch (CharacterCodingException e) {
      throw new InvalidFileException(path, "is not UTF-8; save it as UTF-8");
    } catch (IOException e) {
      throw new InvalidFileException(path, e);
    }
  }

  private EncodedImage image(String line, int number) {
    int tab = line.indexOf('\t');
    if (tab < 1 || tab == line.length() - 1 || line.indexOf('\t', tab + 1) > 0) {
      throw new InvalidFileException(
          path, number, "expected PATH<TAB>LABEL, but was \"" + line + "\"");
    }
    String name = line.substring(0, tab);
    var file = path.resolveSibling(name);
    return new EncodedImage(name, line.substring(tab + 1), () -> Files.readAllBytes(file));
  }
}
