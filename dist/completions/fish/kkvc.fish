complete --keep-order --exclusive --command kkvc --arguments "(_KKVC_COMPLETE=fish kkvc -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
