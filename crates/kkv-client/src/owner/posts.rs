//! The owner's identity in the relay, and posts.

use reqwest::{RequestBuilder, StatusCode};
use zeroize::Zeroizing;

use super::fault::ClientError;
use super::{Client, parse, unread, url, whole};
use kkv_base::private::Private;
use kkv_owner::{
    Answer, Audience, DeletePosts, DeletedPosts, EditPost, Feed, Forgotten, GetPost, Me, NewPost,
    Post, PostId, PostRefused, Posted, TakeIn, WantedPosts,
};

impl Client {
    /// Brings in the identity of these recovery words, new or restored.
    ///
    /// # Errors
    /// There is one already; nobody answers, or not as expected.
    pub async fn take_in(&self, words: &str) -> Result<Me, ClientError> {
        let words = Private(Zeroizing::new(words.to_owned()));
        let request = self.http.post(url("me")).json(&TakeIn { words });
        self.of_identity(request)
            .await
            .map_err(|fault| match fault {
                ClientError::NoIdentity => ClientError::TooOldForIdentities,
                fault => fault,
            })
    }

    /// The identity that is there.
    ///
    /// # Errors
    /// As for all that follow: there is no identity; nobody answers, or not as expected.
    pub async fn me(&self) -> Result<Me, ClientError> {
        self.of_identity(self.http.get(url("me"))).await
    }

    /// Wipes the identity, its keys and its posts.
    ///
    /// # Errors
    /// As for [`me`](Self::me).
    pub async fn forget_me(&self) -> Result<Forgotten, ClientError> {
        self.of_identity(self.http.post(url("forget_me"))).await
    }

    /// Writes a post.
    ///
    /// # Errors
    /// As for [`me`](Self::me); it is empty, too long, or there is no room.
    pub async fn write_post(
        &self,
        text: Zeroizing<String>,
        to: Audience,
    ) -> Result<Posted, ClientError> {
        let text = Private(text);
        let request = self.http.post(url("post")).json(&NewPost { text, to });
        self.of_identity(request).await
    }

    /// Puts another text in the place of a post's.
    ///
    /// # Errors
    /// As for [`write_post`](Self::write_post); there is no such post; it was changed too often.
    pub async fn edit_post(
        &self,
        id: PostId,
        text: Zeroizing<String>,
    ) -> Result<Posted, ClientError> {
        let text = Private(text);
        let request = self
            .http
            .post(url("edit_post"))
            .json(&EditPost { id, text });
        self.of_identity(request).await
    }

    /// At most so many posts, the newest first, with so many characters of each.
    ///
    /// # Errors
    /// As for [`me`](Self::me).
    pub async fn feed(&self, most: usize, first: usize) -> Result<Feed, ClientError> {
        let request = self.http.get(url("feed"));
        self.of_identity(request.query(&WantedPosts { most, first }))
            .await
    }

    /// One post.
    ///
    /// # Errors
    /// As for [`me`](Self::me); there is no such post.
    pub async fn read_post(&self, id: PostId) -> Result<Post, ClientError> {
        let request = self.http.post(url("get_post")).json(&GetPost { id });
        self.of_identity(request).await
    }

    /// Deletes posts.
    ///
    /// # Errors
    /// As for [`me`](Self::me).
    pub async fn delete_posts(&self, ids: Vec<PostId>) -> Result<DeletedPosts, ClientError> {
        let request = self.http.post(url("del_post")).json(&DeletePosts { ids });
        self.of_identity(request).await
    }

    async fn of_identity<T: Answer>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let answer = self.send(request).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(ClientError::NoIdentity),
            StatusCode::UNPROCESSABLE_ENTITY => {
                let body = whole(answer, PostRefused::MAX_BYTES).await?;
                let refused: PostRefused = serde_json::from_slice(&body).map_err(|_| unread())?;
                Err(ClientError::CantPost(refused.code))
            }
            _ => parse(answer, T::MAX_BYTES).await,
        }
    }
}
