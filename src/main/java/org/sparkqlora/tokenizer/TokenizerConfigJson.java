package org.sparkqlora.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sparkqlora.data.BrokenJson;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;

/** Reads special tokens and the chat template from {@code tokenizer_config.json}. */
record TokenizerConfigJson(Path file, JsonNode root) {
    private static final String CHAT_TEMPLATE = "chat_template";
    private static final String DEFAULT_TEMPLATE = "default";
    private static final List<String> ROLES = List.of(
            SpecialTokens.BOS,
            SpecialTokens.EOS,
            SpecialTokens.PAD,
            "unk_token",
            "sep_token",
            "cls_token",
            "mask_token");

    /** Reads {@code file}; a file that is not there says nothing. */
    static TokenizerConfigJson read(Path file) {
        if (!Files.exists(file)) {
            return new TokenizerConfigJson(file, JsonMapper.builder().build().createObjectNode());
        }

        try {
            return new TokenizerConfigJson(
                    file,
                    JsonMapper.builder().build().readTree(BoundedText.read(file, InputLimits.DEFAULT.configBytes())));
        } catch (JsonProcessingException e) {
            throw new BadInputException(
                    "Cannot read %s: expected JSON, found an error%s".formatted(file, BrokenJson.text(e)), e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    /** Each special token as a text, whether it is stored as a text or as an object. */
    SpecialTokens specialTokens() {
        Map<String, String> texts = new LinkedHashMap<>();
        for (String role : ROLES) {
            JsonNode value = root.path(role);
            JsonNode text = value.isObject() ? value.path("content") : value;
            if (text.isTextual()) {
                texts.put(role, text.textValue());
            }
        }

        return new SpecialTokens(texts);
    }

    /** The template, or the one named default of several. */
    Optional<String> chatTemplate() {
        JsonNode template = root.path(CHAT_TEMPLATE);
        if (template.isArray()) {
            return Optional.of(namedTemplate(template));
        }

        return template.isTextual() ? Optional.of(template.textValue()) : Optional.empty();
    }

    private String namedTemplate(JsonNode templates) {
        for (JsonNode named : templates) {
            if (named.path("name").asText().equals(DEFAULT_TEMPLATE)) {
                return named.path("template").asText();
            }
        }

        throw new BadInputException("Cannot choose a chat template of %s: expected one named default, found %s"
                .formatted(file, templates.findValuesAsText("name")));
    }
}
