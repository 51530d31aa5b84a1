// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Something that a run has to say: the same facts as a text for people and as fields for programs.
 *
 * @param event what kind of message it is
 * @param fields its facts by name, in order: numbers, texts, booleans, lists and maps of them
 * @param text its lines for people; empty when it is for programs only
 */
public record Message(String event, Map<String, ?> fields, String text) {
  /** The message as one JSON object: the event, then the fields. */
  public Map<String, Object> json() {
    var json = new LinkedHashMap<String, Object>();
    json.put("event", event);
    json.putAll(fields);
    return json;
  }
}
