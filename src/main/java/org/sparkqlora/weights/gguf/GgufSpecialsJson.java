package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Puts the roles of tokens, what is added to every text, and the chat template into metadata, as {@code SpecialVocab} of
 * llama.cpp's Python package finds them: in the post-processor of {@code tokenizer.json}, in {@code tokenizer_config.json}, and at
 * last in {@code config.json}.
 */
final class GgufSpecialsJson {
    private static final Map<String, String> KEYS =
            Map.of("unk", "unknown", "sep", "seperator", "pad", "padding"); // so spelt in the format

    private final GgufEntries entries;
    private final TokenizerSourceJson source;
    private final int size;
    private final List<String> roles = new ArrayList<>(List.of("bos", "eos", "unk", "sep", "pad", "cls", "mask"));
    private final Map<String, String> tokens = new LinkedHashMap<>();
    private final Map<String, Boolean> added = new LinkedHashMap<>();
    private final Map<String, Integer> ids = new LinkedHashMap<>();

    /** @param size ids from this on are none */
    GgufSpecialsJson(GgufEntries entries, TokenizerSourceJson source, int size) {
        this.entries = entries;
        this.source = source;
        this.size = size;
    }

    void put() {
        for (String role : roles) {
            TokenizerSourceJson.content(source.config().path(role + "_token"))
                    .ifPresent(text -> tokens.put(role, text));
        }

        tokens.computeIfAbsent("bos", role -> tokens.get("cls"));
        tokens.computeIfAbsent("eos", role -> tokens.get("sep"));
        readPostProcessors();
        readRoles();
        putAll();
        putTemplates(source.chatTemplate());
    }

    private void readPostProcessors() {
        JsonNode processor = source.tokenizer().path("post_processor");
        JsonNode several = processor.path("processors");
        if (several.isArray()) {
            several.forEach(this::readPostProcessor);
        } else {
            readPostProcessor(processor);
        }
    }

    private void readPostProcessor(JsonNode processor) {
        switch (processor.path("type").asText()) {
            case "ByteLevel" -> {
                added.putIfAbsent("bos", false);
                added.putIfAbsent("eos", false);
            }
            case "TemplateProcessing" -> readTemplate(processor);
            default -> {} // it adds no special tokens
        }
    }

    private void readTemplate(JsonNode processor) {
        JsonNode single = processor.path("single");
        String first = single.size() > 1 ? special(single.path(0)) : null;
        String last = single.size() > 1 ? special(single.path(single.size() - 1)) : null;
        if (first != null) {
            tokens.putIfAbsent("bos", first);
            added.put("bos", first.equals(tokens.get("bos")) || first.equals(tokens.get("cls")));
        }

        if (last != null) {
            readEnd(last);
        }

        readSeparator(between(processor.path("pair"), first, last), last);
    }

    /** A template that ends texts otherwise than the named EOS makes that the end of a turn. */
    private void readEnd(String last) {
        String named = tokens.put("eos", last);
        if (named != null && !named.equals(last)) {
            roles.add("eot");
            tokens.put("eot", named);
        }

        added.put("eos", true);
    }

    private void readSeparator(List<JsonNode> between, @Nullable String last) {
        if (between.isEmpty()) {
            return;
        }

        boolean one = isSeparator(special(between.get(0))) && last == null;
        boolean two = between.size() == 2 && isSeparator(special(between.get(1)));
        added.put("sep", one || two);
        if (one || two) {
            tokens.computeIfAbsent("sep", role -> tokens.get("eos"));
        }
    }

    private boolean isSeparator(@Nullable String token) {
        return token != null && (token.equals(tokens.get("sep")) || token.equals(tokens.get("eos")));
    }

    /** What stands between the texts of a pair. */
    private static List<JsonNode> between(JsonNode pair, @Nullable String first, @Nullable String last) {
        List<JsonNode> parts = new ArrayList<>();
        pair.forEach(parts::add);
        if (!parts.isEmpty() && first != null && first.equals(special(parts.get(0)))) {
            parts.remove(0);
        }

        if (!parts.isEmpty() && last != null && last.equals(special(parts.get(parts.size() - 1)))) {
            parts.remove(parts.size() - 1);
        }

        return parts.size() > 2 ? parts.subList(1, parts.size() - 1) : List.of();
    }

    private static @Nullable String special(JsonNode part) {
        JsonNode id = part.path("SpecialToken").path("id");
        return id.isTextual() ? id.textValue() : null;
    }

    private void readRoles() {
        for (String role : roles) {
            JsonNode add = source.config().path("add_" + role + "_token");
            if (add.isBoolean()) {
                added.putIfAbsent(role, add.booleanValue());
            }

            Optional.ofNullable(tokens.get(role)).flatMap(this::idOf).ifPresent(id -> putId(role, id));
        }

        JsonNode config = source.modelConfig();
        for (String role : roles) {
            JsonNode id = config.path(role + "_token_id");
            if (id.isInt() && id.intValue() >= 0) {
                putId(role, id.intValue());
            }
        }
    }

    private Optional<Integer> idOf(String content) {
        return source.added().stream()
                .filter(token -> token.content().equals(content))
                .map(TokenizerSourceJson.Added::id)
                .findFirst();
    }

    private void putId(String role, int id) {
        if (id < size) {
            ids.putIfAbsent(role, id);
        }
    }

    private void putAll() {
        ids.forEach(
                (role, id) -> entries.count(GgufVocabulary.PREFIX + KEYS.getOrDefault(role, role) + "_token_id", id));
        added.forEach((role, flag) -> {
            if (List.of("bos", "eos", "sep").contains(role)) {
                entries.flag(GgufVocabulary.PREFIX + "add_" + role + "_token", flag);
            }
        });
    }

    private void putTemplates(JsonNode template) {
        String key = "tokenizer.chat_template";
        Map<String, String> named = new TreeMap<>();
        if (template.isTextual()) {
            named.put("default", template.textValue());
        }

        for (JsonNode each : template) {
            String name = each.path("name").asText().replaceAll("[^a-zA-Z0-9]", "_");
            named.put(name, each.path("template").asText());
        }

        String main = named.remove("default");
        named.forEach((name, text) -> entries.text(key + "." + name, text));
        entries.texts("tokenizer.chat_templates", List.copyOf(named.keySet()));
        if (main != null) {
            entries.text(key, main);
        }
    }
}
