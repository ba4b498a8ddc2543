package org.sparkqlora.command.demo;

import java.util.ArrayList;
import java.util.List;

/** The ids of the demo's words, control tokens first. */
public final class DemoVocabulary {
    static final int PAD = 0;
    static final int UNKNOWN = 1;
    static final int END = 3;

    /** Control tokens by their ids. */
    static final List<String> SPECIAL = List.of("<pad>", "<unk>", "<|im_start|>", "<|im_end|>");

    /** ChatML. */
    static final String CHAT_TEMPLATE = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' +"
            + " message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}"
            + "{{ '<|im_start|>assistant\n' }}{% endif %}";

    private static final List<String> ROLES = List.of("user", "assistant", "system");

    private DemoVocabulary() {}

    /** All tokens, each at its id. */
    public static List<String> tokens() {
        List<String> tokens = new ArrayList<>(SPECIAL);
        tokens.addAll(ROLES);
        tokens.addAll(DemoLanguage.words());
        return tokens;
    }
}
