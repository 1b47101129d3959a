// Tenantry API: the audience of callers' tokens, their app roles, the sign-in of the approval pages, and the one delegated
// permission with which an approver's or engineer's own word reaches Azure.

extension microsoftGraphV1

@description('Immutable name by which another deployment finds the registration again.')
param uniqueName string

@description('The entry api of permissions.json.')
param declared object

@description('Host name of the app, for the way back from the sign-in.')
param hostName string

@description('Object ids of the managed identities that the registration trusts, 20 at most.')
@maxLength(20)
param trusted string[]

resource azure 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: declared.delegated.resourceAppId
}

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: declared.displayName
  signInAudience: declared.signInAudience
  api: {
    // The app takes v2 tokens only.
    requestedAccessTokenVersion: 2
    // Without a scope of ours no token of a person could be had. Which client may ask for it, an administrator decides.
    oauth2PermissionScopes: [
      {
        id: declared.scope.id
        value: declared.scope.value
        type: 'Admin'
        isEnabled: true
        adminConsentDisplayName: 'Use Tenantry as the signed-in person'
        adminConsentDescription: 'Lets a client call Tenantry in the name of the signed-in person, as far as their app roles go.'
      }
    ]
  }
  appRoles: declared.appRoles
  requiredResourceAccess: [
    {
      resourceAppId: declared.delegated.resourceAppId
      resourceAccess: [
        {
          id: declared.delegated.id
          type: 'Scope'
        }
      ]
    }
  ]
  // acct tells guests from members; idtyp tells an application's token from a person's.
  optionalClaims: {
    accessToken: [
      { name: 'acct' }
      { name: 'idtyp' }
    ]
    idToken: [
      { name: 'acct' }
    ]
  }
  web: {
    redirectUris: [
      'https://${hostName}/api/sign-in/callback'
    ]
  }
}

// By position, and not by app: where another identity takes the place of one, its credential is written over. One that was named
// after its app would stay, and so would the trust. Writes to one application at once conflict. The first part is read of the
// application, and so waits for it: written out, it failed where both were new (msgraph-bicep-types, issue 301).
@batchSize(1)
resource credentials 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = [
  for (principalId, index) in trusted: {
    name: '${application.uniqueName}/managed-identity${index == 0 ? '' : '-${index + 1}'}'
    description: 'The managed identity of an app of Tenantry'
    issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
    subject: principalId
    audiences: [
      'api://AzureADTokenExchange'
    ]
  }
]

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

// The administrator's consent: the exchange happens where nobody can be asked. It gives the app nothing without a person's
// own token, and with it no more than that person may.
resource consent 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = {
  clientId: servicePrincipal.id
  consentType: 'AllPrincipals'
  resourceId: azure.id
  scope: declared.delegated.value
}

@description('Application (client) id: the audience of callers\' tokens.')
output clientId string = application.appId
