// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TextPropertiesTest {
  @Property(tries = 200)
  void whatIsWrittenIsRead(@ForAll("properties") Map<String, String> properties) {
    var read = TextProperties.parse(TextProperties.format(properties));
    assertEquals(List.copyOf(properties.entrySet()), List.copyOf(read.entrySet()));
  }

  @Provide
  Arbitrary<Map<String, String>> properties() {
    var keys = Arbitraries.strings().withChars("abzAZ09._-").ofMinLength(1).ofMaxLength(20);
    var values =
        Arbitraries.oneOf(
            Arbitraries.strings(), Arbitraries.strings().withChars(" \\\n\r=nr\t").ofMaxLength(8));
    return Arbitraries.maps(keys, values).ofMaxSize(8).map(LinkedHashMap::new);
  }

  @Test
  void theTextIsOneLineAnEntry() {
    var properties = new LinkedHashMap<String, String>();
    properties.put("b", "x = y");
    properties.put("a", "two\nlines \\ one");
    assertEquals("b = x = y\na = two\\nlines \\\\ one\n", TextProperties.format(properties));
  }

  @Test
  void linesThatCannotBeReadAreNamed() {
    assertEquals("line 2 must be \"key = value\", but was \"b=2\"", parseError("a = 1\nb=2\n"));
    assertEquals("line 1 must be \"key = value\", but was \" = 2\"", parseError(" = 2\n"));
    assertEquals("line 3 repeats the key \"a\"", parseError("a = 1\nb = 2\na = 3\n"));
  }

  @Test
  void keysAreChecked() {
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> TextProperties.format(Map.of("a b", "1")));
    assertEquals("a key must be letters, digits, '.', '_' or '-', but was \"a b\"", e.getMessage());
  }

  private static @Nullable String parseError(String text) {
    return assertThrows(IllegalArgumentException.class, () -> TextProperties.parse(text))
        .getMessage();
  }
}
